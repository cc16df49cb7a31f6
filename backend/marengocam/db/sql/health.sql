-- name: beat!
-- A sign of life.
INSERT INTO service_health (service, instance, status, reason, started_at, heartbeat_at, detail)
VALUES (:service, :instance, :status, :reason, :started_at, now(), CAST(:detail AS text)::jsonb)
ON CONFLICT (service, instance) DO UPDATE SET status = excluded.status, reason = excluded.reason,
    heartbeat_at = excluded.heartbeat_at, detail = excluded.detail;

-- name: list_services
-- The last heartbeat of every process, and how long ago that was by the clock that dated it.
SELECT service, instance, status, reason, started_at, heartbeat_at, detail::text AS detail,
    extract(epoch FROM clock_timestamp() - heartbeat_at)::float8 AS silent_s
FROM service_health ORDER BY service, started_at DESC;

-- name: mark_gone
-- Processes whose heartbeat stopped.
UPDATE service_health SET status = 'gone', reason = 'It gives no sign of life.'
WHERE status <> 'gone' AND heartbeat_at < now() - :older_than_s * interval '1 second'
RETURNING service, instance;

-- name: leave!
-- A process that ended as it was told needs no obituary.
DELETE FROM service_health WHERE service = :service AND instance = :instance;

-- name: drop_gone!
-- Processes gone for long, and those that another instance has replaced.
DELETE FROM service_health
WHERE status = 'gone' AND (heartbeat_at < now() - :older_than_s * interval '1 second' OR EXISTS (
    SELECT FROM service_health newer
    WHERE newer.service = service_health.service AND newer.started_at > service_health.started_at
        AND newer.status <> 'gone'));

-- name: log!
-- Something went wrong, or right again.
INSERT INTO health_log (at, service, subject, level, message, detail)
VALUES (now(), :service, :subject, :level, :message, CAST(:detail AS text)::jsonb);

-- name: recent
-- The latest entries, newest first.
SELECT at, service, subject, level, message, detail::text AS detail
FROM health_log ORDER BY at DESC, health_log_id DESC LIMIT :most;

-- name: prune$
-- Old entries go, a batch at a time.
WITH gone AS (
    DELETE FROM health_log WHERE health_log_id IN (SELECT health_log_id FROM health_log WHERE at < :before ORDER BY at LIMIT :most)
    RETURNING 1
) SELECT count(*) FROM gone;

-- name: database_bytes$
-- How large the database is on its disk.
SELECT pg_database_size(current_database());

-- name: notify!
-- Tell whoever waits.
SELECT pg_notify(:channel, :payload);
