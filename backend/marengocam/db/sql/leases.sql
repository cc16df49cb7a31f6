-- name: acquire^
-- Claim or renew, by the database's clock; the fence rises with each new holder. No row: another holds it.
INSERT INTO lease (name, holder, fence, expires_at)
VALUES (:lease_name, :holder, 1, clock_timestamp() + :ttl_s * interval '1 second')
ON CONFLICT (name) DO UPDATE SET
    fence = lease.fence + CASE WHEN lease.holder = excluded.holder THEN 0 ELSE 1 END,
    holder = excluded.holder,
    expires_at = excluded.expires_at
WHERE lease.holder = excluded.holder OR lease.expires_at <= clock_timestamp()
RETURNING name, holder, fence, expires_at;

-- name: release!
-- Give it up; the row stays so that fences never go back.
UPDATE lease SET expires_at = clock_timestamp()
WHERE name = :lease_name AND holder = :holder AND fence = :fence;

-- name: list_leases
-- Who holds what, by the database's clock.
SELECT name, holder, fence, expires_at FROM lease WHERE expires_at > clock_timestamp() ORDER BY name;
