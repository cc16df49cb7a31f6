-- name: add_token!
-- Only the token's SHA-256 is kept.
INSERT INTO token (token_id, name, token_sha256, scopes, created_at)
VALUES (:token_id, :token_name, :token_sha256, :scopes, :at);

-- name: find_token^
-- The valid token of this SHA-256.
SELECT token_id, name, scopes, created_at, last_used_at, revoked_at FROM token
WHERE token_sha256 = :token_sha256 AND revoked_at IS NULL;

-- name: list_tokens
-- All tokens, newest first.
SELECT token_id, name, scopes, created_at, last_used_at, revoked_at FROM token ORDER BY created_at DESC;

-- name: revoke_token^
-- From now on it opens nothing.
UPDATE token SET revoked_at = :at WHERE token_id = :token_id AND revoked_at IS NULL RETURNING token_id;

-- name: touch_token!
-- When it was last used.
UPDATE token SET last_used_at = :at WHERE token_id = :token_id;

-- name: get_setting$
-- A shared fact, as JSON text.
SELECT value::text FROM setting WHERE key = :setting_key;

-- name: hold_setting$
-- A shared fact, as JSON text, that nobody else changes until the transaction ends.
SELECT value::text FROM setting WHERE key = :setting_key FOR UPDATE;

-- name: set_setting!
-- Set a shared fact.
INSERT INTO setting (key, value) VALUES (:setting_key, CAST(:value AS text)::jsonb)
ON CONFLICT (key) DO UPDATE SET value = excluded.value, updated_at = now();

-- name: first_setting$
-- Set a shared fact unless there is one; return the one in force.
WITH made AS (
    INSERT INTO setting (key, value) VALUES (:setting_key, CAST(:value AS text)::jsonb)
    ON CONFLICT (key) DO UPDATE SET value = setting.value
    RETURNING value
) SELECT value::text FROM made;
