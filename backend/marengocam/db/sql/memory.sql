-- name: furniture_of^
-- What the analysis of a camera has learned about things that stand in its picture.
SELECT furniture::text AS furniture FROM camera_memory WHERE camera_id = :camera_id;

-- name: keep_furniture!
-- Keep it; nothing for a camera that was removed meanwhile, or whose lease has another fence than the one given.
WITH held AS (
    SELECT FROM lease WHERE name = 'camera:' || CAST(:camera_id AS text) AND fence = CAST(:fence AS bigint) FOR KEY SHARE
)
INSERT INTO camera_memory (camera_id, furniture, updated_at)
SELECT camera_id, CAST(:furniture AS text)::jsonb, now() FROM camera
WHERE camera_id = CAST(:camera_id AS text) AND (CAST(:fence AS bigint) IS NULL OR EXISTS (SELECT FROM held))
ON CONFLICT (camera_id) DO UPDATE SET furniture = excluded.furniture, updated_at = excluded.updated_at;
