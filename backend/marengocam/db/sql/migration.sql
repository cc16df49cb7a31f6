-- name: lock!
-- One process at a time migrates; the lock goes with the connection.
SELECT pg_advisory_lock(:key);

-- name: prepare#
-- The record of what was applied.
CREATE TABLE IF NOT EXISTS schema_migration (
    version integer PRIMARY KEY CHECK (version > 0),
    name text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE schema_migration IS 'Which steps of the schema were applied.';
COMMENT ON COLUMN schema_migration.version IS 'Number of the step.';
COMMENT ON COLUMN schema_migration.name IS 'Name of the step.';
COMMENT ON COLUMN schema_migration.checksum IS 'SHA-256 of its file.';
COMMENT ON COLUMN schema_migration.applied_at IS 'When it was applied.';

-- name: is_readable$
-- Whether there is a record of what was applied that this account may read; asked first, since the server logs errors.
SELECT coalesce(has_table_privilege(to_regclass('schema_migration'), 'SELECT'), false);

-- name: applied
-- What was applied before.
SELECT version, checksum FROM schema_migration ORDER BY version;

-- name: record!
-- Note a step as applied.
INSERT INTO schema_migration (version, name, checksum) VALUES (:version, :step_name, :checksum);
