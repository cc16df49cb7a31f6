-- name: acquire^
-- Claim or renew, by the database's clock; the fence rises with each new holder. No row: another holds it, or writes
-- under it at this moment; nobody waits for a holder that froze in mid-transaction.
-- Fences are milliseconds: a row that a failover lost begins above what its holders had, where 1 would repeat theirs.
WITH free AS (
    SELECT name FROM lease
    WHERE name = :lease_name AND (holder = :holder OR expires_at <= clock_timestamp())
    FOR UPDATE SKIP LOCKED
), taken AS (
    UPDATE lease SET
        fence = CASE WHEN lease.holder = :holder THEN lease.fence
            ELSE greatest(lease.fence + 1, (extract(epoch FROM clock_timestamp()) * 1000)::bigint) END,
        holder = :holder,
        expires_at = clock_timestamp() + :ttl_s * interval '1 second'
    FROM free WHERE lease.name = free.name
    RETURNING lease.name, lease.holder, lease.fence, lease.expires_at
), begun AS (
    INSERT INTO lease (name, holder, fence, expires_at)
    SELECT :lease_name, :holder, (extract(epoch FROM clock_timestamp()) * 1000)::bigint,
        clock_timestamp() + :ttl_s * interval '1 second'
    WHERE NOT EXISTS (SELECT FROM lease WHERE name = :lease_name)
    ON CONFLICT DO NOTHING
    RETURNING name, holder, fence, expires_at
)
SELECT name, holder, fence, expires_at FROM taken UNION ALL SELECT name, holder, fence, expires_at FROM begun;

-- name: renew
-- What a holder still holds of these, all at once; what is left out has another holder or none. It waits for who takes
-- one over, not for who writes under it (`FOR KEY SHARE`): a hub that is slow to write loses nobody's leases.
-- Rows are locked in one order here, below and in `fences`, so that nobody waits in a circle.
WITH mine AS (
    SELECT name FROM lease WHERE name = ANY(CAST(:names AS text[])) AND holder = :holder ORDER BY name FOR NO KEY UPDATE
)
UPDATE lease SET expires_at = clock_timestamp() + :ttl_s * interval '1 second'
FROM mine WHERE lease.name = mine.name
RETURNING lease.name, lease.holder, lease.fence, lease.expires_at;

-- name: release!
-- Give it up; the row stays so that fences never go back.
UPDATE lease SET expires_at = clock_timestamp()
WHERE name = :lease_name AND holder = :holder AND fence = :fence;

-- name: list_leases
-- Who holds what, by the database's clock.
SELECT name, holder, fence, expires_at FROM lease WHERE expires_at > clock_timestamp() ORDER BY name;
