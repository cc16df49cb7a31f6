-- name: add_chunks*!
-- Finished files; writing one twice is no harm.
INSERT INTO chunk (chunk_id, camera_id, started_at, duration_s, size_bytes, path, codec, width_px, height_px)
VALUES (:chunk_id, :camera_id, :started_at, :duration_s, :size_bytes, :path, :codec, :width_px, :height_px)
ON CONFLICT DO NOTHING;

-- name: get_chunk^
-- One file that is kept.
SELECT chunk_id, camera_id, started_at, duration_s, size_bytes, path, codec, width_px, height_px
FROM chunk WHERE chunk_id = :chunk_id AND condemned_at IS NULL;

-- name: span
-- Files that overlap a stretch of time, in order. No chunk is longer than an hour, which bounds the search.
SELECT chunk_id, camera_id, started_at, duration_s, size_bytes, path, codec, width_px, height_px
FROM chunk
WHERE camera_id = :camera_id AND condemned_at IS NULL
    AND started_at < :to_at AND started_at > CAST(:from_at AS timestamptz) - interval '1 hour'
    AND started_at + duration_s * interval '1 second' > :from_at
ORDER BY started_at;

-- name: recorded_s$
-- Seconds kept of one camera, or of all.
SELECT coalesce(sum(duration_s), 0) FROM chunk
WHERE condemned_at IS NULL AND (CAST(:camera_id AS text) IS NULL OR camera_id = :camera_id);

-- name: oldest_at$
-- How far back recordings reach.
SELECT min(started_at) FROM chunk WHERE condemned_at IS NULL;

-- name: total_bytes$
-- What the kept files take.
SELECT coalesce(sum(size_bytes), 0)::bigint FROM chunk WHERE condemned_at IS NULL;

-- name: condemn!
-- Sentence files: from now on nobody is shown them.
UPDATE chunk SET condemned_at = :at WHERE chunk_id = ANY(CAST(:chunk_ids AS uuid[])) AND condemned_at IS NULL;

-- name: condemned
-- Files of some folders that wait to be deleted, but for some.
SELECT chunk_id, camera_id, started_at, duration_s, size_bytes, path, codec, width_px, height_px
FROM chunk WHERE condemned_at IS NOT NULL AND chunk_id <> ALL (CAST(:but AS uuid[]))
    AND split_part(path, '/', 1) = ANY(CAST(:folders AS text[]))
ORDER BY condemned_at LIMIT :most;

-- name: forget!
-- The file is gone, the row follows.
DELETE FROM chunk WHERE chunk_id = ANY(CAST(:chunk_ids AS uuid[])) AND condemned_at IS NOT NULL;

-- name: condemn_paths!
-- Files that went without the index are sentenced afterwards.
UPDATE chunk SET condemned_at = :at WHERE path = ANY(CAST(:paths AS text[])) AND condemned_at IS NULL;

-- name: second_paths
-- Where further files of recordings may lie.
SELECT chunk_id, other_path FROM chunk WHERE chunk_id = ANY(CAST(:chunk_ids AS uuid[])) AND other_path IS NOT NULL;

-- name: known_paths
-- What the index knows of a camera since a moment, condemned or not, on the move or not.
SELECT path FROM chunk
WHERE camera_id = :camera_id AND started_at >= :from_at
UNION ALL
SELECT other_path FROM chunk
WHERE camera_id = :camera_id AND started_at >= :from_at AND other_path IS NOT NULL;

-- name: all_chunks
-- A page of the whole index, in order of path, for the check of the invariants.
SELECT chunk_id, camera_id, started_at, duration_s, size_bytes, path, codec, width_px, height_px,
    condemned_at IS NOT NULL AS is_condemned, other_path
FROM chunk WHERE path > :after_path ORDER BY path LIMIT :most;

-- name: notify!
-- Tell whoever waits.
SELECT pg_notify(:channel, :payload);
