-- name: make_extension#
-- Vectors, made by the server's administrator: Debian's package does not let a database's owner do it.
CREATE EXTENSION IF NOT EXISTS vector;
