-- name: list_persons
-- Everybody with a name, how many faces are enrolled or confirmed, and where each was last seen.
SELECT p.person_id, p.name, p.created_at, p.picture_path,
    (SELECT count(*) FROM exemplar e WHERE e.person_id = p.person_id AND e.kind = 'face') AS faces,
    s.camera_id, s.last_seen_at, s.probability, coalesce(s.open, false) AS present, s.crop_path, s.local_track_id
FROM person p
LEFT JOIN LATERAL (
    SELECT t.camera_id, t.last_seen_at, a.probability, t.open, t.crop_path, t.local_track_id
    FROM identity i
    JOIN assignment a USING (identity_id)
    JOIN local_track t USING (local_track_id)
    WHERE i.person_id = p.person_id AND t.run_id IS NULL
    ORDER BY t.open DESC, t.last_seen_at DESC
    LIMIT 1
) s ON true
WHERE CAST(:person_id AS uuid) IS NULL OR p.person_id = :person_id
ORDER BY lower(p.name);

-- name: person_by_name^
-- A person by name, whatever the case.
SELECT person_id, name, created_at, picture_path FROM person WHERE lower(btrim(name)) = lower(btrim(:person_name));

-- name: add_person$
-- A new name; nothing where somebody has it.
INSERT INTO person (person_id, name, created_at) VALUES (:person_id, :person_name, :at)
ON CONFLICT (lower(btrim(name))) DO NOTHING
RETURNING person_id;

-- name: set_picture!
-- A portrait.
UPDATE person SET picture_path = :picture_path WHERE person_id = :person_id;

-- name: add_exemplar!
-- A picture's embedding joins the gallery.
INSERT INTO exemplar (exemplar_id, person_id, kind, model, embedding, quality, source, picture_path, created_at)
VALUES (:exemplar_id, :person_id, :kind, :model, CAST(:embedding AS text)::halfvec, :quality, :source, :picture_path,
    :at)
ON CONFLICT (exemplar_id) DO NOTHING;

-- name: exemplars
-- The gallery of a person, or of everybody.
SELECT exemplar_id, person_id, kind, model, embedding::real[] AS embedding, quality, source, picture_path, created_at
FROM exemplar
WHERE person_id IS NOT NULL AND (CAST(:person_id AS uuid) IS NULL OR person_id = :person_id)
ORDER BY created_at;

-- name: exemplar_picture^
-- The picture that an embedding was made from.
SELECT picture_path FROM exemplar WHERE exemplar_id = :exemplar_id;

-- name: remove_exemplars
-- A person's enrolled faces are taken back; returns their pictures, without the portrait.
WITH gone AS (
    DELETE FROM exemplar WHERE person_id = :person_id AND kind = 'face' AND source = 'enrolled'
    RETURNING picture_path
)
SELECT DISTINCT picture_path FROM gone
WHERE picture_path IS NOT NULL
    AND NOT EXISTS (SELECT FROM person WHERE person.picture_path = gone.picture_path);

-- name: kept_pictures
-- Pictures that galleries and portraits name, and portraits that come back when a word is undone.
SELECT picture_path AS path FROM exemplar WHERE picture_path IS NOT NULL
UNION SELECT picture_path FROM person WHERE picture_path IS NOT NULL
UNION SELECT one ->> 'picture_path' FROM word, jsonb_array_elements(before -> 'persons') AS one
    WHERE one ->> 'picture_path' IS NOT NULL;

-- name: list_identities
-- Individuals, latest first, with how often and where they were seen.
SELECT i.identity_id, i.person_id, p.name AS person_name, i.first_seen_at, i.last_seen_at,
    (SELECT count(*) FROM assignment a WHERE a.identity_id = i.identity_id) AS tracks, c.local_track_id AS crop_track_id
FROM identity i
LEFT JOIN person p USING (person_id)
LEFT JOIN LATERAL (
    SELECT t.local_track_id FROM assignment a JOIN local_track t USING (local_track_id)
    WHERE a.identity_id = i.identity_id AND t.crop_path IS NOT NULL
    ORDER BY t.score DESC LIMIT 1
) c ON true
WHERE i.merged_into IS NULL AND (i.person_id IS NULL OR NOT CAST(:unknown_only AS boolean))
    AND EXISTS (SELECT FROM assignment a WHERE a.identity_id = i.identity_id)
ORDER BY i.last_seen_at DESC
LIMIT :most;

-- name: take_turn!
-- A human's word waits for the resolver's turn to end, and the next turn for the word.
SELECT pg_advisory_xact_lock(:key);

-- name: prune_identities$
-- Strangers whose tracks are all gone, with their galleries; those that were merged into them go along. One whom tracks
-- would come back to when a word is taken back stays as long as these are there.
WITH gone AS (
    DELETE FROM identity
    WHERE identity_id IN (
        SELECT i.identity_id FROM identity i
        WHERE i.last_seen_at < :before AND NOT i.ignored AND (i.person_id IS NULL OR i.merged_into IS NOT NULL)
            AND NOT EXISTS (SELECT FROM assignment a WHERE a.identity_id = i.identity_id)
            AND NOT EXISTS (SELECT FROM denial d WHERE d.identity_id = i.identity_id)
            AND NOT EXISTS (SELECT FROM exemplar e WHERE e.identity_id = i.identity_id AND e.person_id IS NOT NULL)
            AND NOT EXISTS (
                SELECT FROM word w
                CROSS JOIN jsonb_to_recordset(w.before -> 'assignments') AS one (local_track_id uuid, identity_id uuid)
                JOIN local_track t ON t.local_track_id = one.local_track_id
                WHERE w.subjects @> ARRAY[i.identity_id] AND w.undone_at IS NULL AND one.identity_id = i.identity_id)
        ORDER BY i.last_seen_at
        LIMIT :most
    )
    RETURNING 1
) SELECT count(*) FROM gone;

-- name: notify!
-- Tell whoever waits.
SELECT pg_notify(:channel, :payload);
