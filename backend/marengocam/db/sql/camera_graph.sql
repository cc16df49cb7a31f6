-- name: transits
-- Journeys between cameras that recognition (not place and time) vouches for: seconds as log-normals.
WITH seen AS (
    SELECT t.camera_id, t.first_seen_at, t.last_seen_at, coalesce(i.person_id, i.identity_id) AS individual
    FROM local_track t
    JOIN assignment a USING (local_track_id)
    JOIN identity i USING (identity_id)
    WHERE t.run_id IS NULL AND NOT t.open AND t.last_seen_at >= :from_at
        AND (a.decided_by = 'human' OR (a.evidence ->> 'recognition')::float8 >= :recognition)
    ORDER BY t.last_seen_at DESC
    LIMIT :most
), steps AS (
    SELECT lag(camera_id) OVER journey AS from_camera, camera_id AS to_camera,
        extract(epoch FROM first_seen_at - lag(last_seen_at) OVER journey)::float8 AS seconds
    FROM seen
    WINDOW journey AS (PARTITION BY individual ORDER BY first_seen_at, camera_id)
)
SELECT from_camera, to_camera, count(*) AS count, avg(ln(greatest(seconds, :least_s::float8))) AS mean_log_s,
    coalesce(stddev_samp(ln(greatest(seconds, :least_s::float8))), 0) AS deviation_log_s
FROM steps
WHERE from_camera <> to_camera AND seconds BETWEEN 0 AND :longest_s
GROUP BY from_camera, to_camera;

-- name: covisibility
-- For each pair of cameras: tracks seen while somebody was in the other view, and how many of them were that individual.
WITH seen AS (
    SELECT t.local_track_id, t.camera_id, t.first_seen_at, t.last_seen_at,
        coalesce(i.person_id, i.identity_id) AS individual,
        a.decided_by = 'human' OR (a.evidence ->> 'recognition')::float8 >= :recognition AS recognised
    FROM local_track t
    JOIN assignment a USING (local_track_id)
    JOIN identity i USING (identity_id)
    WHERE t.run_id IS NULL AND t.last_seen_at >= :from_at
    ORDER BY t.last_seen_at DESC
    LIMIT :most
), pairs AS (
    SELECT one.local_track_id, one.camera_id AS here, other.camera_id AS there,
        bool_or(one.individual = other.individual) AS together
    FROM seen one
    JOIN seen other ON other.camera_id <> one.camera_id
        AND other.first_seen_at + make_interval(secs => :apart_s::float8) < one.last_seen_at
        AND one.first_seen_at + make_interval(secs => :apart_s::float8) < other.last_seen_at
    WHERE one.recognised
    GROUP BY one.local_track_id, one.camera_id, other.camera_id
)
SELECT here, there, count(*) AS chances, count(*) FILTER (WHERE together) AS together
FROM pairs
GROUP BY here, there;

-- name: told
-- What an owner said about ways.
SELECT from_camera, to_camera, transit_s, overlap FROM camera_way ORDER BY from_camera, to_camera;

-- name: told_way^
-- What an owner said about one way, held until the transaction ends.
SELECT transit_s, overlap FROM camera_way WHERE from_camera = :from_camera AND to_camera = :to_camera FOR UPDATE;

-- name: tell_way!
-- An owner's word about one way.
INSERT INTO camera_way (from_camera, to_camera, transit_s, overlap)
VALUES (:from_camera, :to_camera, :transit_s, :overlap)
ON CONFLICT (from_camera, to_camera) DO UPDATE SET transit_s = excluded.transit_s, overlap = excluded.overlap;

-- name: forget_way!
-- The way is as journeys teach again.
DELETE FROM camera_way WHERE from_camera = :from_camera AND to_camera = :to_camera;

-- name: cameras
-- Which cameras there are.
SELECT camera_id FROM camera;
