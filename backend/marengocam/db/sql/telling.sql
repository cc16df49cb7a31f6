-- name: camera_names
-- What cameras are called, by name.
SELECT camera_id, name FROM camera_name ORDER BY lower(name), camera_id;

-- name: people
-- How many people each camera follows now.
SELECT camera_id, count(*) AS people FROM sight WHERE open AND label = 'person' GROUP BY camera_id;

-- name: persons
-- Everybody with a name and where each was seen last.
SELECT p.person_id, p.name, coalesce(s.open, false) AS present, s.camera_id, s.last_seen_at, s.probability
FROM person p
LEFT JOIN LATERAL (
    SELECT camera_id, last_seen_at, probability, open FROM sight
    WHERE sight.person_id = p.person_id
    ORDER BY open DESC, last_seen_at DESC
    LIMIT 1
) s ON true
ORDER BY lower(p.name);
