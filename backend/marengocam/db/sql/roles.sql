-- name: make#
-- One role a service, made once and brought to its limits each time. Roles belong to the whole server, not to one database.
-- The limits of time stand here because a pooler passes no start-up parameters on; they are those of database.py.
DO $$
DECLARE
    wanted record;
BEGIN
    FOR wanted IN
        SELECT * FROM (VALUES
            ('marengocam_ingest', 24),  -- four processes without a pooler, each with a connection that listens and one for leases
            ('marengocam_resolver', 12),  -- one turn at a time reads on two connections
            ('marengocam_automation', 8),  -- two processes, of which one waits
            ('marengocam_face', 10),
            ('marengocam_janitor', 6),
            ('marengocam_web', 20)
        ) AS one (role_name, connections)
    LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted.role_name) THEN
            EXECUTE format('CREATE ROLE %I NOINHERIT', wanted.role_name);
        END IF;
        EXECUTE format('ALTER ROLE %I LOGIN CONNECTION LIMIT %s', wanted.role_name, wanted.connections);
        EXECUTE format('ALTER ROLE %I SET statement_timeout = ''10s''', wanted.role_name);
        EXECUTE format('ALTER ROLE %I SET idle_in_transaction_session_timeout = ''10s''', wanted.role_name);
        EXECUTE format('ALTER ROLE %I SET timezone = ''UTC''', wanted.role_name);
        EXECUTE format('ALTER ROLE %I SET jit = off', wanted.role_name);
    END LOOP;
END
$$;

-- name: existing
-- Which of our roles this server has, and how many connections each may hold.
SELECT rolname AS role_name, rolconnlimit AS connections FROM pg_roles
WHERE rolname = ANY(:role_names) ORDER BY rolname;

-- name: password_order$
-- The order that gives a role its password; the server is told the verifier only, never the password.
SELECT format('ALTER ROLE %I PASSWORD %L', CAST(:role_name AS text), CAST(:verifier AS text));

-- name: rights
-- Who may do what with which table, by grants to our roles.
SELECT table_name, grantee AS role_name, string_agg(lower(privilege_type), ' ' ORDER BY
    array_position(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE'], privilege_type::text)) AS rights
FROM information_schema.role_table_grants
WHERE table_schema = 'public' AND grantee = ANY(:role_names)
GROUP BY table_name, grantee
ORDER BY table_name, grantee;
