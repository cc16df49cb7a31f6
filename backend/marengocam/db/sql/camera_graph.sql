-- name: transits
-- Journeys between cameras as far as recognition (not place and time) vouches for them: seconds as log-normals, and how
-- many there were, those who were in both views at once included (`moves`).
-- Who founded an identity is of it. Of another sight it is as sure as what it was recognised by, and no surer than the
-- decision was; a journey counts for both its ends together.
WITH seen AS (
    SELECT t.camera_id, t.first_seen_at, t.last_seen_at, t.open, coalesce(i.person_id, i.identity_id) AS individual,
        CASE WHEN a.decided_by = 'human' THEN 1.0
            WHEN coalesce((a.evidence ->> 'recognition')::float8, 0) <= 0 THEN 0.0
            ELSE least(a.probability, 1 / (1 + exp(:doubt - (a.evidence ->> 'recognition')::float8)))
        END AS known,
        a.evidence -> 'cues' = '[]'::jsonb AS founded
    FROM local_track t
    JOIN assignment a USING (local_track_id)
    JOIN identity i USING (identity_id)
    WHERE t.run_id IS NULL AND t.last_seen_at >= :from_at
    ORDER BY t.last_seen_at DESC
    LIMIT :most
), steps AS (
    SELECT lag(camera_id) OVER journey AS from_camera, camera_id AS to_camera,
        known * lag(CASE WHEN open THEN 0.0 WHEN founded THEN 1.0 ELSE known END) OVER journey AS weight,
        extract(epoch FROM first_seen_at - lag(last_seen_at) OVER journey)::float8 AS seconds
    FROM seen
    WINDOW journey AS (PARTITION BY individual ORDER BY first_seen_at, camera_id)
), moved AS (
    SELECT from_camera, to_camera, weight AS moves, CASE WHEN seconds >= 0 THEN weight ELSE 0 END AS weight,
        ln(greatest(seconds, :least_s::float8)) AS log_s
    FROM steps
    WHERE from_camera <> to_camera AND weight > 0 AND seconds <= :longest_s
), summed AS (
    SELECT from_camera, to_camera, sum(moves) AS moves, sum(weight) AS count, nullif(sum(weight), 0) AS weights,
        sum(weight * log_s) AS logs, sum(weight * log_s ^ 2) AS squares
    FROM moved
    GROUP BY from_camera, to_camera
)
SELECT from_camera, to_camera, moves, count, logs / weights AS mean_log_s,
    sqrt(greatest(squares / weights - (logs / weights) ^ 2, 0)) AS deviation_log_s
FROM summed;

-- name: tracks_by_camera
-- In which cameras people were seen of late.
SELECT camera_id, count(*) AS tracks
FROM (
    SELECT t.camera_id FROM local_track t JOIN assignment USING (local_track_id)
    WHERE t.run_id IS NULL AND t.last_seen_at >= :from_at
    ORDER BY t.last_seen_at DESC
    LIMIT :most
) AS seen
GROUP BY camera_id;

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
