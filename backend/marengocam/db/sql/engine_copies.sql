-- name: wanted
-- Persons with the kept pictures of their enrolled faces: what every face engine of another maker is to know.
SELECT p.person_id, p.name, array_agg(DISTINCT e.picture_path ORDER BY e.picture_path) AS pictures
FROM person p
JOIN exemplar e USING (person_id)
WHERE e.kind = 'face' AND e.source = 'enrolled' AND e.picture_path IS NOT NULL
GROUP BY p.person_id, p.name
ORDER BY p.person_id;

-- name: copies
-- What one engine was told.
SELECT person_id, name, pictures, problem FROM engine_copy WHERE engine = :engine ORDER BY person_id;

-- name: note_copy!
-- What an engine is told, or is being told, of a person.
INSERT INTO engine_copy (engine, person_id, name, pictures, problem, carried_at)
VALUES (:engine, :person_id, :copy_name, :pictures, :problem, :at)
ON CONFLICT (engine, person_id) DO UPDATE SET name = excluded.name, pictures = excluded.pictures,
    problem = excluded.problem, carried_at = excluded.carried_at;

-- name: drop_copy!
-- The engine has forgotten a person.
DELETE FROM engine_copy WHERE engine = :engine AND person_id = :person_id;
