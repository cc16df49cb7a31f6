-- name: still_there$
-- Notices a connection that died silently.
SELECT 1;
