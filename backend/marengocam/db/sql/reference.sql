-- name: tables
-- Every table of ours with its comment.
SELECT c.relname AS name, obj_description(c.oid, 'pg_class') AS comment
FROM pg_class c
WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace
ORDER BY c.relname;

-- name: columns
-- Every column with its type, whether it may be null, its default and its comment.
SELECT c.relname AS table_name, a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type,
    NOT a.attnotnull AS nullable,
    CASE WHEN a.attidentity <> '' THEN 'counted up' ELSE pg_get_expr(d.adbin, d.adrelid) END AS default_value,
    col_description(c.oid, a.attnum) AS comment
FROM pg_class c
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace
ORDER BY c.relname, a.attnum;

-- name: constraints
-- What always holds: keys, references and checks.
SELECT c.relname AS table_name, pg_get_constraintdef(k.oid) AS rule
FROM pg_constraint k
JOIN pg_class c ON c.oid = k.conrelid
WHERE c.relnamespace = 'public'::regnamespace AND k.contype IN ('p', 'u', 'f', 'c')
ORDER BY c.relname, array_position(ARRAY['p', 'u', 'f', 'c']::"char"[], k.contype), pg_get_constraintdef(k.oid);

-- name: indexes
-- Indexes besides those of the keys.
SELECT tablename AS table_name, regexp_replace(indexdef, '^CREATE (UNIQUE )?INDEX .* USING ', '\1') AS definition
FROM pg_indexes
WHERE schemaname = 'public'
    AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conname = indexname AND k.contype IN ('p', 'u'))
ORDER BY tablename, indexname;
