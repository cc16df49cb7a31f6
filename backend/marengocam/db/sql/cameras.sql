-- name: list_cameras
-- Every camera with its zones, by name.
SELECT c.camera_id, c.name, c.main_url, c.sub_url, c.username, c.password_encrypted, c.enabled, c.detect,
    c.transport, c.restarts, c.recording::text AS recording, c.analysis::text AS analysis,
    coalesce((
        SELECT jsonb_agg(jsonb_build_object('zone_id', z.zone_id, 'name', z.name, 'polygon', z.polygon) ORDER BY z.name)
        FROM zone z WHERE z.camera_id = c.camera_id
    ), '[]')::text AS zones
FROM camera c
ORDER BY lower(c.name), c.camera_id;

-- name: get_camera^
-- One camera with its zones.
SELECT c.camera_id, c.name, c.main_url, c.sub_url, c.username, c.password_encrypted, c.enabled, c.detect,
    c.transport, c.restarts, c.recording::text AS recording, c.analysis::text AS analysis,
    coalesce((
        SELECT jsonb_agg(jsonb_build_object('zone_id', z.zone_id, 'name', z.name, 'polygon', z.polygon) ORDER BY z.name)
        FROM zone z WHERE z.camera_id = c.camera_id
    ), '[]')::text AS zones
FROM camera c
WHERE c.camera_id = :camera_id;

-- name: add_camera!
-- A new camera.
INSERT INTO camera (camera_id, name, main_url, sub_url, username, password_encrypted, enabled, detect,
    transport, recording, analysis)
VALUES (:camera_id, :camera_name, :main_url, :sub_url, :username, :password_encrypted, :enabled, :detect,
    :transport, CAST(:recording AS text)::jsonb, CAST(:analysis AS text)::jsonb);

-- name: update_camera^
-- All that its owner may change.
UPDATE camera SET name = :camera_name, main_url = :main_url, sub_url = :sub_url, username = :username,
    password_encrypted = :password_encrypted, enabled = :enabled, detect = :detect, transport = :transport,
    recording = CAST(:recording AS text)::jsonb, analysis = CAST(:analysis AS text)::jsonb, updated_at = now()
WHERE camera_id = :camera_id
RETURNING camera_id;

-- name: restart_camera^
-- Its owner wants it begun anew.
UPDATE camera SET restarts = restarts + 1 WHERE camera_id = :camera_id RETURNING camera_id;

-- name: remove_camera^
-- Its recordings and tracks stay until retention takes them.
DELETE FROM camera WHERE camera_id = :camera_id RETURNING camera_id;

-- name: remove_zones!
-- Before the new ones are written.
DELETE FROM zone WHERE camera_id = :camera_id;

-- name: add_zone!
-- One area of a camera.
INSERT INTO zone (zone_id, camera_id, name, polygon)
VALUES (:zone_id, :camera_id, :zone_name, CAST(:polygon AS text)::jsonb);

-- name: write_status^
-- How a camera is doing, dated by the database: the clocks of hosts differ. No row for a camera that was removed
-- meanwhile, or whose lease has another fence than the one given.
WITH held AS (
    SELECT FROM lease WHERE name = 'camera:' || CAST(:camera_id AS text) AND fence = CAST(:fence AS bigint) FOR KEY SHARE
)
INSERT INTO camera_status (camera_id, state, reason, since, updated_at, last_packet_at, metrics)
SELECT c.camera_id, :state, :reason, :since, clock_timestamp(), :last_packet_at, CAST(:metrics AS text)::jsonb
FROM camera c
WHERE c.camera_id = CAST(:camera_id AS text) AND (CAST(:fence AS bigint) IS NULL OR EXISTS (SELECT FROM held))
ON CONFLICT (camera_id) DO UPDATE SET state = excluded.state, reason = excluded.reason, since = excluded.since,
    updated_at = excluded.updated_at, last_packet_at = excluded.last_packet_at, metrics = excluded.metrics
RETURNING camera_id;

-- name: statuses
-- How each camera is doing, and how long ago that was told by the clock that dated it.
SELECT camera_id, state, reason, since, updated_at, last_packet_at, metrics::text AS metrics,
    extract(epoch FROM clock_timestamp() - updated_at)::float8 AS silent_s
FROM camera_status;

-- name: open_people
-- Where everybody stands who is followed now: the box of the last point of each open track.
SELECT camera_id, (path->-1->'box')::text AS box FROM local_track
WHERE open AND run_id IS NULL AND label = 'person';

-- name: last_people
-- Who was seen last on each camera, where there is a picture.
SELECT c.camera_id, t.local_track_id, t.last_seen_at FROM camera c
CROSS JOIN LATERAL (
    SELECT local_track_id, last_seen_at FROM local_track
    WHERE camera_id = c.camera_id AND run_id IS NULL AND label = 'person' AND crop_path IS NOT NULL
    ORDER BY last_seen_at DESC
    LIMIT 1
) t;

-- name: notify!
-- Tell whoever waits.
SELECT pg_notify(:channel, :payload);
