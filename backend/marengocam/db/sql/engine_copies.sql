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
SELECT person_id, name, pictures, problem, name_digest FROM engine_copy WHERE engine = :engine ORDER BY person_id;

-- name: left_behind
-- Engines that are not asked any more and know people who were erased here, and how many.
SELECT engine, count(*) AS persons FROM engine_copy
WHERE name_digest IS NOT NULL AND engine <> ALL(CAST(:engines AS text[]))
GROUP BY engine
ORDER BY engine;

-- name: take_turn!
-- Nobody is erased between the question whether somebody lives and what is noted of them.
SELECT pg_advisory_xact_lock(:key);

-- name: note_copy!
-- What an engine is told, or is being told, of a person; without the name where the person was erased meanwhile.
INSERT INTO engine_copy (engine, person_id, name, name_digest, pictures, problem, carried_at)
SELECT :engine, told.person_id, CASE WHEN lives THEN told.name END,
    CASE WHEN NOT lives THEN sha256(convert_to(told.person_id || '/' || told.name, 'UTF8')) END,
    :pictures, :problem, :at
FROM (SELECT CAST(:person_id AS uuid) AS person_id, CAST(:copy_name AS text) AS name) AS told
CROSS JOIN LATERAL (SELECT EXISTS (SELECT FROM person WHERE person.person_id = told.person_id) AS lives) AS known
ON CONFLICT (engine, person_id) DO UPDATE SET name = excluded.name, name_digest = excluded.name_digest,
    pictures = excluded.pictures, problem = excluded.problem, carried_at = excluded.carried_at;

-- name: drop_copy!
-- The engine has forgotten a person.
DELETE FROM engine_copy WHERE engine = :engine AND person_id = :person_id;
