-- name: furniture_of^
-- What the analysis of a camera has learned about things that stand in its picture.
SELECT furniture::text AS furniture FROM camera_memory WHERE camera_id = :camera_id;

-- name: keep_furniture!
-- Keep it; a camera that was removed meanwhile keeps nothing.
INSERT INTO camera_memory (camera_id, furniture, updated_at)
SELECT camera_id, CAST(:furniture AS text)::jsonb, now() FROM camera WHERE camera_id = :camera_id
ON CONFLICT (camera_id) DO UPDATE SET furniture = excluded.furniture, updated_at = excluded.updated_at;
