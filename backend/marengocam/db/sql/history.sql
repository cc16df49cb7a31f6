-- name: add_sample!
-- How the whole is doing now.
INSERT INTO health_sample (at, disk_used_share, ingest_lag_s, survival_level, cameras, cameras_online, recorded_bytes,
    database_bytes)
VALUES (:at, :disk_used_share, :ingest_lag_s, :survival_level, :cameras, :cameras_online,
    (SELECT coalesce(sum(size_bytes), 0) FROM chunk WHERE condemned_at IS NULL),
    pg_database_size(current_database()))
ON CONFLICT DO NOTHING;

-- name: samples
-- How the whole was doing, in order of time.
SELECT at, disk_used_share, ingest_lag_s, survival_level, cameras, cameras_online, recorded_bytes, database_bytes
FROM health_sample WHERE at BETWEEN :from_at AND :to_at ORDER BY at LIMIT :most;

-- name: prune_samples!
-- Old samples go.
DELETE FROM health_sample WHERE at < :before;

-- name: begin_pause!
-- A camera is not meant to be recorded always from now on.
INSERT INTO recording_pause (camera_id, from_at)
SELECT CAST(:camera_id AS text), :at
WHERE NOT EXISTS (SELECT FROM recording_pause WHERE camera_id = :camera_id AND to_at IS NULL);

-- name: end_pause!
-- It is meant to be again.
UPDATE recording_pause SET to_at = greatest(:at, from_at) WHERE camera_id = :camera_id AND to_at IS NULL;

-- name: prune_pauses!
-- Old pauses go.
DELETE FROM recording_pause WHERE to_at < :before;

-- name: pauses
-- When cameras were not meant to be recorded always.
SELECT camera_id, from_at, coalesce(to_at, CAST(:to_at AS timestamptz) + interval '1 hour') AS to_at
FROM recording_pause
WHERE from_at < :to_at AND (to_at IS NULL OR to_at > :from_at)
    AND (CAST(:camera_id AS text) IS NULL OR camera_id = :camera_id);

-- name: recorded
-- What of a stretch is recorded, condemned or not, in order.
SELECT camera_id, started_at, started_at + duration_s * interval '1 second' AS ended_at FROM chunk
WHERE started_at < :to_at AND started_at > CAST(:from_at AS timestamptz) - interval '1 hour'
    AND started_at + duration_s * interval '1 second' > :from_at
    AND (CAST(:camera_id AS text) IS NULL OR camera_id = :camera_id)
ORDER BY camera_id, started_at;

-- name: reach$
-- How far back recordings reach: what is older has gone by retention.
SELECT min(started_at) FROM chunk;

-- name: begun
-- Since when each camera is there.
SELECT camera_id, created_at FROM camera WHERE CAST(:camera_id AS text) IS NULL OR camera_id = :camera_id;

-- name: meant
-- Which cameras there are, and whether they are meant to be recorded always.
SELECT camera_id, name, enabled, coalesce(recording ->> 'mode', 'always') = 'always' AS always FROM camera
ORDER BY camera_id;

-- name: add_day$
-- What of a day was lost, counted once.
INSERT INTO recording_day (camera_id, day, lost_s, gaps, longest_s)
VALUES (:camera_id, :day, :lost_s, :gaps, :longest_s) ON CONFLICT DO NOTHING
RETURNING 1;

-- name: days
-- What of each day was lost, latest first.
SELECT camera_id, day, lost_s, gaps, longest_s FROM recording_day
WHERE day >= :first AND (CAST(:camera_id AS text) IS NULL OR camera_id = :camera_id) ORDER BY day DESC, camera_id;
