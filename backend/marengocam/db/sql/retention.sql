-- name: list_rules
-- What an owner keeps, the general before the special.
SELECT camera_id, class, keep_days, max_bytes FROM retention ORDER BY camera_id, class;

-- name: set_rule!
-- Keep so much from now on.
INSERT INTO retention (camera_id, class, keep_days, max_bytes) VALUES (:camera_id, :kind, :keep_days, :max_bytes)
ON CONFLICT (camera_id, class) DO UPDATE SET keep_days = excluded.keep_days, max_bytes = excluded.max_bytes;

-- name: clear_rule!
-- As the more general rule says again.
DELETE FROM retention WHERE camera_id = :camera_id AND class = :kind;

-- name: take_favourites
-- Moments that were marked become favourites, each once; a rule may have asked for more around its moment.
INSERT INTO favourite (favourite_id, camera_id, from_at, to_at, label)
SELECT event_id, camera_id,
    least(occurred_at - :before_s * interval '1 second', CAST(data ->> 'from_at' AS timestamptz)),
    greatest(occurred_at + :after_s * interval '1 second', CAST(data ->> 'to_at' AS timestamptz)),
    coalesce(data ->> 'label', '')
FROM event WHERE type = 'moment_marked'
ON CONFLICT DO NOTHING
RETURNING favourite_id, camera_id, from_at, to_at, label;

-- name: unclass!
-- Recordings of a stretch are looked at anew.
UPDATE chunk SET class = NULL, review_at = NULL
WHERE (CAST(:camera_id AS text) IS NULL OR camera_id = :camera_id) AND started_at <= :to_at
    AND started_at > CAST(:from_at AS timestamptz) - interval '1 hour'
    AND started_at + duration_s * interval '1 second' >= :from_at;

-- name: list_favourites
-- What an owner wants to keep, latest first.
SELECT favourite_id, camera_id, from_at, to_at, label FROM favourite WHERE removed_at IS NULL ORDER BY from_at DESC;

-- name: remove_favourite^
-- Let go of a favourite.
UPDATE favourite SET removed_at = :at WHERE favourite_id = :favourite_id AND removed_at IS NULL
RETURNING favourite_id, camera_id, from_at, to_at, label;

-- name: unclassed
-- Recordings that ended before a moment and were not looked at yet, the latest first.
SELECT chunk_id FROM chunk
WHERE class IS NULL AND condemned_at IS NULL AND started_at < :before ORDER BY started_at DESC LIMIT :most;

-- name: happenings
-- What happened during recordings. Whoever was in view for more than six hours counts at the end of it only.
SELECT c.chunk_id,
    EXISTS (SELECT FROM favourite f WHERE f.removed_at IS NULL AND (f.camera_id IS NULL OR f.camera_id = c.camera_id)
        AND f.from_at < c.started_at + c.duration_s * interval '1 second' AND f.to_at > c.started_at) AS favourite,
    coalesce(seen.motion, false) AS motion, coalesce(seen.person, false) AS person,
    coalesce(seen.unknown, false) AS unknown, coalesce(seen.named, false) AS named
FROM chunk c
LEFT JOIN LATERAL (
    SELECT count(*) > 0 AS motion, bool_or(t.label = 'person') AS person,
        bool_or(t.label = 'person' AND i.identity_id IS NOT NULL AND i.person_id IS NULL) AS unknown,
        bool_or(i.person_id IS NOT NULL) AS named
    FROM local_track t
    LEFT JOIN assignment a ON a.local_track_id = t.local_track_id
    LEFT JOIN identity i ON i.identity_id = a.identity_id
    WHERE t.run_id IS NULL AND t.camera_id = c.camera_id
        AND t.last_seen_at BETWEEN c.started_at AND c.started_at + interval '6 hours'
        AND t.first_seen_at <= c.started_at + c.duration_s * interval '1 second'
) seen ON true
WHERE c.chunk_id = ANY(CAST(:chunk_ids AS uuid[]));

-- name: set_classes!
-- Note what happened during recordings.
UPDATE chunk SET class = told.class
FROM unnest(CAST(:chunk_ids AS uuid[]), CAST(:classes AS text[])) AS told (chunk_id, class)
WHERE chunk.chunk_id = told.chunk_id;

-- name: due
-- Recordings whose age has to be looked at now.
(SELECT chunk_id, camera_id, started_at, duration_s, size_bytes, path, codec, width_px, height_px FROM chunk
WHERE condemned_at IS NULL AND review_at IS NULL AND started_at < :before ORDER BY started_at LIMIT :most)
UNION ALL
(SELECT chunk_id, camera_id, started_at, duration_s, size_bytes, path, codec, width_px, height_px FROM chunk
WHERE condemned_at IS NULL AND review_at <= :now ORDER BY review_at LIMIT :most);

-- name: review_later!
-- Something keeps them: look again then.
UPDATE chunk SET review_at = told.review_at
FROM unnest(CAST(:chunk_ids AS uuid[]), CAST(:review_ats AS timestamptz[])) AS told (chunk_id, review_at)
WHERE chunk.chunk_id = told.chunk_id;

-- name: sizes
-- What each camera keeps of each class.
SELECT camera_id, coalesce(class, 'continuous') AS class, sum(size_bytes)::bigint AS size_bytes FROM chunk
WHERE condemned_at IS NULL GROUP BY 1, 2;

-- name: oldest_of
-- The first to go of a camera and class, of every class, or of everything; favourites last.
SELECT chunk_id, camera_id, started_at, duration_s, size_bytes, path, codec, width_px, height_px FROM chunk
WHERE condemned_at IS NULL AND (CAST(:camera_id AS text) IS NULL OR camera_id = :camera_id)
    AND (CAST(:kind AS text) IS NULL OR coalesce(class, 'continuous') = :kind)
    AND (CAST(:folder AS text) IS NULL OR starts_with(path, :folder || '/'))
    AND NOT EXISTS (SELECT FROM favourite f WHERE f.removed_at IS NULL
        AND (f.camera_id IS NULL OR f.camera_id = chunk.camera_id)
        AND f.from_at < chunk.started_at + chunk.duration_s * interval '1 second' AND f.to_at > chunk.started_at)
ORDER BY started_at LIMIT :most;

-- name: oldest_favourites
-- The first favourites to go, when nothing else is left.
SELECT chunk_id, camera_id, started_at, duration_s, size_bytes, path, codec, width_px, height_px FROM chunk
WHERE condemned_at IS NULL AND (CAST(:camera_id AS text) IS NULL OR camera_id = :camera_id)
    AND (CAST(:folder AS text) IS NULL OR starts_with(path, :folder || '/'))
    AND EXISTS (SELECT FROM favourite f WHERE f.removed_at IS NULL
        AND (f.camera_id IS NULL OR f.camera_id = chunk.camera_id)
        AND f.from_at < chunk.started_at + chunk.duration_s * interval '1 second' AND f.to_at > chunk.started_at)
ORDER BY started_at LIMIT :most;

-- name: movable
-- Recordings of the first folder that began before a moment, oldest first.
SELECT chunk_id, camera_id, started_at, duration_s, size_bytes, path, codec, width_px, height_px FROM chunk
WHERE condemned_at IS NULL AND other_path IS NULL AND started_at < :before AND starts_with(path, 'recordings/')
ORDER BY started_at LIMIT :most;

-- name: begin_move$
-- From now on a copy may lie there too.
UPDATE chunk SET other_path = :other_path WHERE chunk_id = :chunk_id AND condemned_at IS NULL AND other_path IS NULL
RETURNING 1;

-- name: switch_over$
-- The copy is whole: it is the recording now, and the old file is what is left behind.
UPDATE chunk SET path = other_path, other_path = path
WHERE chunk_id = :chunk_id AND condemned_at IS NULL AND other_path = :other_path
RETURNING 1;

-- name: end_move!
-- No second file is left.
UPDATE chunk SET other_path = NULL WHERE chunk_id = :chunk_id AND other_path = :other_path;

-- name: on_the_move
-- Moves that were cut short.
SELECT chunk_id, other_path FROM chunk WHERE other_path IS NOT NULL ORDER BY started_at LIMIT :most;

-- name: dead_rows
-- How much of the big tables waits for a vacuum.
SELECT relname, n_live_tup AS live, n_dead_tup AS dead, greatest(last_vacuum, last_autovacuum) AS vacuumed_at
FROM pg_stat_user_tables WHERE schemaname = 'public' ORDER BY n_dead_tup DESC;
