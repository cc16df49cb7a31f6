-- name: sights
-- Persons' sights that touch a stretch of time; null filters take everything.
SELECT t.local_track_id, a.identity_id, i.person_id, p.name AS person_name, t.camera_id, t.first_seen_at,
    t.last_seen_at, t.open, t.score, t.crop_path IS NOT NULL AS has_crop
FROM local_track t
JOIN assignment a USING (local_track_id)
JOIN identity i USING (identity_id)
LEFT JOIN person p USING (person_id)
WHERE t.run_id IS NULL AND t.last_seen_at >= :from_at AND t.first_seen_at <= :to_at
    AND (CAST(:person_id AS uuid) IS NULL OR i.person_id = :person_id)
    AND (CAST(:identity_id AS uuid) IS NULL OR a.identity_id = :identity_id)
ORDER BY t.last_seen_at DESC
LIMIT :most;

-- name: sights_of_those_who_left
-- All recent sights of those who were seen last between two moments and whose leaving nobody has told yet.
WITH gone AS (
    SELECT coalesce(i.person_id, i.identity_id) AS individual
    FROM local_track t
    JOIN assignment a USING (local_track_id)
    JOIN identity i USING (identity_id)
    LEFT JOIN person p USING (person_id)
    WHERE t.run_id IS NULL AND t.last_seen_at >= :reach_from AND NOT i.ignored AND NOT coalesce(p.ignored, false)
    GROUP BY 1
    HAVING max(t.last_seen_at) BETWEEN :gone_from AND :gone_to AND NOT bool_or(t.open)
)
SELECT t.local_track_id, a.identity_id, i.person_id, p.name AS person_name, t.camera_id, t.first_seen_at,
    t.last_seen_at, t.open, t.score, t.crop_path IS NOT NULL AS has_crop
FROM local_track t
JOIN assignment a USING (local_track_id)
JOIN identity i USING (identity_id)
LEFT JOIN person p USING (person_id)
WHERE t.run_id IS NULL AND t.last_seen_at >= :reach_from
    AND coalesce(i.person_id, i.identity_id) IN (SELECT individual FROM gone)
ORDER BY t.first_seen_at;

-- name: individual_of^
-- Whose track this is.
SELECT a.identity_id, i.person_id, t.first_seen_at
FROM local_track t
JOIN assignment a USING (local_track_id)
JOIN identity i USING (identity_id)
WHERE t.local_track_id = :local_track_id AND t.run_id IS NULL;
