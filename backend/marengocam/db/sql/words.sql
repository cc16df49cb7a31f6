-- name: take_turn!
-- A human's word waits for the resolver's turn to end, and the next turn for the word.
SELECT pg_advisory_xact_lock(:key);

-- name: identities
-- The identities that are valid, with their persons.
SELECT i.identity_id, i.person_id, p.name AS person_name, i.ignored
FROM identity i
LEFT JOIN person p USING (person_id)
WHERE i.identity_id = ANY(:identity_ids) AND i.merged_into IS NULL;

-- name: living$
-- What has become of an identity: the one that it was merged into, or the one that that one was merged into.
WITH RECURSIVE way AS (
    SELECT identity_id, merged_into, 1 AS step FROM identity WHERE identity_id = :identity_id
    UNION ALL
    SELECT i.identity_id, i.merged_into, way.step + 1 FROM way JOIN identity i ON i.identity_id = way.merged_into
    WHERE way.step < :most
)
SELECT identity_id FROM way ORDER BY step DESC LIMIT 1;

-- name: person^
-- A person by id.
SELECT person_id, name, ignored FROM person WHERE person_id = :person_id;

-- name: identities_of
-- All identities of a person.
SELECT identity_id FROM identity WHERE person_id = :person_id AND merged_into IS NULL ORDER BY identity_id;

-- name: tracks
-- Which identity each of these live tracks belongs to.
SELECT a.local_track_id, a.identity_id
FROM assignment a
JOIN local_track t USING (local_track_id)
WHERE a.local_track_id = ANY(:local_track_ids) AND t.run_id IS NULL;

-- name: snapshot$
-- The rows of these identities and persons as they are now, for a later undo; galleries and denials only of persons who
-- are given to another: a name has nothing to do with them.
SELECT jsonb_build_object(
    'identities', (SELECT coalesce(jsonb_agg(jsonb_build_object('identity_id', identity_id, 'person_id', person_id,
            'merged_into', merged_into, 'ignored', ignored)), '[]')
        FROM identity WHERE identity_id = ANY(:identity_ids)),
    'assignments', (SELECT coalesce(jsonb_agg(jsonb_build_object('local_track_id', local_track_id, 'identity_id',
            identity_id, 'probability', probability, 'decided_by', decided_by)), '[]')
        FROM assignment WHERE identity_id = ANY(:identity_ids)),
    'exemplars', (SELECT coalesce(jsonb_agg(jsonb_build_object('exemplar_id', exemplar_id, 'person_id', person_id,
            'identity_id', identity_id, 'source', source)), '[]')
        FROM exemplar WHERE identity_id = ANY(:identity_ids) OR person_id = ANY(:given_ids)),
    'persons', (SELECT coalesce(jsonb_agg(to_jsonb(person)), '[]') FROM person WHERE person_id = ANY(:person_ids)),
    'denials', (SELECT coalesce(jsonb_agg(to_jsonb(denial)), '[]')
        FROM denial WHERE identity_id = ANY(:identity_ids) OR person_id = ANY(:given_ids))
)::text;

-- name: add_word$
-- The word itself, later than all that were carried out before it: they are taken back in that order, whoever waited.
INSERT INTO word (word_id, kind, said_at, said_by, summary, subjects, changed, made, before)
VALUES (:word_id, :kind,
    greatest(:said_at, (SELECT max(said_at) FROM word) + interval '1 microsecond'),
    :said_by, :summary, :subjects, :changed, :made, CAST(:before AS text)::jsonb)
RETURNING said_at;

-- name: set_person!
-- Who an identity is; null: unknown.
UPDATE identity SET person_id = :person_id WHERE identity_id = ANY(:identity_ids);

-- name: adopt_faces!
-- Faces seen on the identities stand for the person from now on.
UPDATE exemplar SET person_id = :person_id, source = 'confirmed'
WHERE identity_id = ANY(:identity_ids) AND kind = 'face' AND quality >= :least_quality;

-- name: disown_faces!
-- Faces seen on the identities no longer stand for a person.
UPDATE exemplar SET person_id = NULL, source = 'observed'
WHERE identity_id = ANY(:identity_ids) AND person_id = :person_id AND source <> 'enrolled';

-- name: pin!
-- The human's word on every track of the identities: the resolver does not overrule it.
UPDATE assignment SET decided_by = 'human', probability = 1, decided_at = :at WHERE identity_id = ANY(:identity_ids);

-- name: pin_tracks!
-- The human's word on some tracks.
UPDATE assignment SET decided_by = 'human', probability = 1, decided_at = :at
WHERE local_track_id = ANY(:local_track_ids);

-- name: touch!
-- The resolver looks at all tracks of the identities again; whoever writes tracks locks them in this order.
WITH theirs AS (
    SELECT local_track_id FROM local_track
    WHERE local_track_id IN (SELECT local_track_id FROM assignment WHERE identity_id = ANY(:identity_ids))
    ORDER BY local_track_id
    FOR NO KEY UPDATE
)
UPDATE local_track SET revision = revision + 1 WHERE local_track_id IN (SELECT local_track_id FROM theirs);

-- name: touch_alike$
-- What may look different now: of the newest faces of the last days, those of tracks that no human decided on and that
-- are like one of the person's.
WITH own AS MATERIALIZED (
    SELECT embedding, model FROM exemplar
    WHERE person_id = :person_id AND kind = 'face'
    ORDER BY quality DESC, exemplar_id
    LIMIT :compared
), newest AS (
    SELECT t.local_track_id, t.last_seen_at, t.face, t.face_model
    FROM local_track t
    JOIN assignment a USING (local_track_id)
    WHERE t.run_id IS NULL AND t.last_seen_at >= :from_at AND t.face IS NOT NULL AND a.decided_by <> 'human'
    ORDER BY t.last_seen_at DESC
    LIMIT :searched
), alike AS (
    SELECT t.local_track_id
    FROM newest t
    WHERE EXISTS (
        SELECT FROM own
        WHERE own.model = t.face_model AND vector_dims(own.embedding) = vector_dims(t.face)
            AND CASE WHEN vector_dims(own.embedding) = vector_dims(t.face)
                THEN 1 - (own.embedding <=> t.face) END >= :least_cosine
    )
    ORDER BY t.last_seen_at DESC
    LIMIT :most
), locked AS (
    SELECT local_track_id FROM local_track
    WHERE local_track_id IN (SELECT local_track_id FROM alike)
    ORDER BY local_track_id
    FOR NO KEY UPDATE
), touched AS (
    UPDATE local_track SET revision = revision + 1 WHERE local_track_id IN (SELECT local_track_id FROM locked)
    RETURNING 1
)
SELECT count(*) FROM touched;

-- name: move_tracks!
-- Tracks go to another identity.
UPDATE assignment SET identity_id = :identity_id WHERE local_track_id = ANY(:local_track_ids);

-- name: move_exemplars!
-- What tracks left in the galleries goes with them.
UPDATE exemplar SET identity_id = :identity_id WHERE local_track_id = ANY(:local_track_ids);

-- name: add_identity!
-- An identity for tracks that were split off; its sights are theirs.
INSERT INTO identity (identity_id, person_id, first_seen_at, last_seen_at, created_at)
SELECT :identity_id, NULL, min(first_seen_at), max(last_seen_at), :at
FROM local_track WHERE local_track_id = ANY(:local_track_ids);

-- name: merge_identity!
-- One identity gives everything to another.
UPDATE identity SET merged_into = :into_id WHERE identity_id = :identity_id;

-- name: move_assignments!
-- All tracks of one identity go to another.
UPDATE assignment SET identity_id = :into_id WHERE identity_id = :identity_id;

-- name: move_gallery!
-- All looks of one identity go to another.
UPDATE exemplar SET identity_id = :into_id WHERE identity_id = :identity_id;

-- name: widen!
-- An identity's first and last sight follow its tracks.
UPDATE identity SET first_seen_at = seen.first_at, last_seen_at = seen.last_at
FROM (
    SELECT a.identity_id, min(t.first_seen_at) AS first_at, max(t.last_seen_at) AS last_at
    FROM assignment a
    JOIN local_track t USING (local_track_id)
    WHERE a.identity_id = ANY(:identity_ids)
    GROUP BY a.identity_id
) AS seen
WHERE identity.identity_id = seen.identity_id;

-- name: give_gallery!
-- A person's gallery goes to another person.
UPDATE exemplar SET person_id = :into_id WHERE person_id = :person_id;

-- name: rename!
-- Another name.
UPDATE person SET name = :person_name WHERE person_id = :person_id;

-- name: drop_person!
-- A person whose everything was given to another.
DELETE FROM person WHERE person_id = :person_id;

-- name: ignore_identity!
-- Whether anything is told about an identity.
UPDATE identity SET ignored = :ignored WHERE identity_id = :identity_id;

-- name: ignore_person!
-- Whether anything is told about a person.
UPDATE person SET ignored = :ignored WHERE person_id = :person_id;

-- name: deny!
-- This identity is not that person.
INSERT INTO denial (identity_id, person_id, word_id) VALUES (:identity_id, :person_id, :word_id)
ON CONFLICT DO NOTHING;

-- name: hand_on_denials!
-- Who an identity is not holds for the one that it was merged into.
INSERT INTO denial (identity_id, person_id, word_id)
SELECT :into_id, person_id, :word_id FROM denial WHERE identity_id = :identity_id
ON CONFLICT DO NOTHING;

-- name: give_denials!
-- Who is not a person is not the one either that this person was found to be.
INSERT INTO denial (identity_id, person_id, word_id)
SELECT identity_id, :into_id, word_id FROM denial WHERE person_id = :person_id
ON CONFLICT DO NOTHING;

-- name: say_after_all!
-- Identities that are a person now are so whatever was denied before.
DELETE FROM denial USING identity
WHERE identity.identity_id = denial.identity_id AND denial.person_id = :person_id AND identity.person_id = :person_id;

-- name: denied^
-- Whether one of two identities was said not to be a person.
SELECT p.name FROM denial d JOIN person p USING (person_id)
WHERE d.identity_id = ANY(:identity_ids) AND d.person_id = :person_id
LIMIT 1;

-- name: list_words
-- What was said, newest first.
SELECT word_id, kind, said_at, said_by, summary, subjects, before IS NOT NULL AND undone_at IS NULL AS undoable,
    undone_at, undone_by
FROM word
WHERE (CAST(:subject AS uuid) IS NULL OR subjects @> ARRAY[CAST(:subject AS uuid)])
    AND (CAST(:before_at AS timestamptz) IS NULL OR said_at < :before_at)
ORDER BY said_at DESC, word_id DESC
LIMIT :most;

-- name: word_for_undo^
-- A word that is to be taken back.
SELECT word_id, kind, said_at, subjects, changed, before::text AS before, undone_at FROM word
WHERE word_id = :word_id FOR UPDATE;

-- name: merged_away^
-- The word by which a person whom identities are to be again was found to be another.
SELECT w.summary, w.before IS NULL AS for_good FROM word w
WHERE w.kind = 'merge_persons' AND w.undone_at IS NULL AND w.word_id <> :word_id AND w.changed && ARRAY(
    SELECT CAST(one ->> 'person_id' AS uuid)
    FROM jsonb_array_elements(CAST(:before AS text)::jsonb -> 'identities') AS one
    WHERE NOT EXISTS (SELECT FROM person p WHERE p.person_id = CAST(one ->> 'person_id' AS uuid))
)
ORDER BY w.said_at DESC
LIMIT 1;

-- name: later_word^
-- A later word about the same that still holds.
SELECT summary, before IS NULL AS for_good FROM word
WHERE word_id <> :word_id AND undone_at IS NULL AND changed && CAST(:changed AS uuid[])
    AND (said_at, word_id) > (:said_at, :word_id)
ORDER BY said_at DESC
LIMIT 1;

-- name: name_taken$
-- A name that a person is to have again and somebody else has by now.
SELECT other.name
FROM jsonb_to_recordset(CAST(:before AS text)::jsonb -> 'persons') AS one (person_id uuid, name text)
JOIN person other ON lower(btrim(other.name)) = lower(btrim(one.name)) AND other.person_id <> one.person_id
LIMIT 1;

-- name: restore_persons!
-- Persons as they were before; one that was merged away comes back.
INSERT INTO person (person_id, name, created_at, picture_path, ignored)
SELECT person_id, name, created_at, picture_path, ignored
FROM jsonb_to_recordset(CAST(:before AS text)::jsonb -> 'persons')
    AS one (person_id uuid, name text, created_at timestamptz, picture_path text, ignored boolean)
ON CONFLICT (person_id) DO UPDATE SET name = excluded.name, ignored = excluded.ignored;

-- name: restore_identities!
-- Identities as they were before, as far as they and their persons still exist.
UPDATE identity SET
    person_id = (SELECT person_id FROM person WHERE person.person_id = one.person_id),
    merged_into = (SELECT other.identity_id FROM identity other WHERE other.identity_id = one.merged_into),
    ignored = one.ignored
FROM jsonb_to_recordset(CAST(:before AS text)::jsonb -> 'identities')
    AS one (identity_id uuid, person_id uuid, merged_into uuid, ignored boolean)
WHERE identity.identity_id = one.identity_id;

-- name: restore_assignments!
-- Tracks belong where they did before, to be decided on again unless an earlier word holds.
UPDATE assignment SET identity_id = one.identity_id, probability = one.probability, decided_by = one.decided_by,
    decided_at = :at
FROM jsonb_to_recordset(CAST(:before AS text)::jsonb -> 'assignments')
    AS one (local_track_id uuid, identity_id uuid, probability real, decided_by text)
WHERE assignment.local_track_id = one.local_track_id;

-- name: restore_exemplars!
-- Looks stand for whom they did before.
UPDATE exemplar SET
    person_id = (SELECT person_id FROM person WHERE person.person_id = one.person_id),
    identity_id = one.identity_id, source = one.source
FROM jsonb_to_recordset(CAST(:before AS text)::jsonb -> 'exemplars')
    AS one (exemplar_id uuid, person_id uuid, identity_id uuid, source text)
WHERE exemplar.exemplar_id = one.exemplar_id
    AND (one.identity_id IS NOT NULL OR EXISTS (SELECT FROM person WHERE person.person_id = one.person_id));

-- name: follow_tracks!
-- Looks that came after the word go where their tracks have gone.
UPDATE exemplar SET identity_id = assignment.identity_id
FROM assignment
WHERE exemplar.local_track_id = assignment.local_track_id AND exemplar.identity_id = ANY(:identity_ids)
    AND exemplar.identity_id <> assignment.identity_id;

-- name: close_emptied!
-- Identities that the word had made and that have no track any more lead to where their tracks went.
WITH former AS (
    SELECT one.identity_id
    FROM jsonb_to_recordset(CAST(:before AS text)::jsonb -> 'identities') AS one (identity_id uuid)
    JOIN identity USING (identity_id)
)
UPDATE identity SET merged_into = (SELECT min(identity_id::text)::uuid FROM former)
WHERE identity_id = ANY(:identity_ids) AND identity_id NOT IN (SELECT identity_id FROM former)
    AND EXISTS (SELECT FROM former)
    AND NOT EXISTS (SELECT FROM assignment a WHERE a.identity_id = identity.identity_id);

-- name: drop_denials!
-- What the word denied is open again.
DELETE FROM denial WHERE word_id = :word_id;

-- name: restore_denials!
-- What was denied before is denied again, of the person it was said of, as far as that word holds.
WITH before AS (
    SELECT one.* FROM jsonb_to_recordset(CAST(:before AS text)::jsonb -> 'denials')
        AS one (identity_id uuid, person_id uuid, word_id uuid)
), given AS (
    DELETE FROM denial USING before
    WHERE denial.identity_id = before.identity_id AND denial.word_id = before.word_id
        AND denial.person_id <> before.person_id
)
INSERT INTO denial (identity_id, person_id, word_id)
SELECT before.identity_id, before.person_id, before.word_id
FROM before
JOIN identity ON identity.identity_id = before.identity_id
JOIN person ON person.person_id = before.person_id
JOIN word ON word.word_id = before.word_id AND word.undone_at IS NULL
ON CONFLICT DO NOTHING;

-- name: names_in$
-- Whom a word names: its subjects, and who its identities were and the persons it changed, as they were.
SELECT jsonb_build_object('persons', coalesce(jsonb_agg(jsonb_build_object('person_id', person_id, 'name', name)), '[]'))
FROM (
    SELECT person_id, name FROM person
    WHERE person_id = ANY(:subjects) OR person_id IN (
        SELECT CAST(one ->> 'person_id' AS uuid)
        FROM jsonb_array_elements(CAST(:before AS text)::jsonb -> 'identities') AS one)
    UNION SELECT person_id, name
    FROM jsonb_to_recordset(CAST(:before AS text)::jsonb -> 'persons') AS one (person_id uuid, name text)
) AS named;

-- name: mark_undone!
-- The word no longer holds; whom it names is kept, so that whoever of them is erased goes from it, too.
UPDATE word SET undone_at = :at, undone_by = :undone_by, before = CAST(:names AS text)::jsonb WHERE word_id = :word_id;

-- name: forsaken
-- Of some persons those whom a word had made that is taken back, and of whom nothing is left: no face, nobody who is or
-- is not them, no wish, no other word that holds.
SELECT p.person_id, p.name
FROM person p
WHERE p.person_id = ANY(:person_ids::uuid[]) AND p.picture_path IS NULL AND NOT p.ignored
    AND EXISTS (SELECT FROM word w WHERE w.made <> '{}' AND w.made @> ARRAY[p.person_id] AND w.undone_at IS NOT NULL)
    AND NOT EXISTS (SELECT FROM word w WHERE w.subjects @> ARRAY[p.person_id] AND w.undone_at IS NULL)
    AND NOT EXISTS (SELECT FROM identity i WHERE i.person_id = p.person_id AND i.merged_into IS NULL)
    AND NOT EXISTS (SELECT FROM exemplar e WHERE e.person_id = p.person_id)
    AND NOT EXISTS (SELECT FROM denial d WHERE d.person_id = p.person_id)
ORDER BY p.person_id
FOR UPDATE;

-- name: untell
-- Tracks of which it was told that they are a person who goes are unknown again; what an event about that tells.
UPDATE assignment a SET announced_person_id = NULL, announced_unknown = true
FROM local_track t, identity i
WHERE a.announced_person_id = :person_id AND t.local_track_id = a.local_track_id AND i.identity_id = a.identity_id
RETURNING a.local_track_id, a.identity_id, t.camera_id, t.last_seen_at, t.zones, i.ignored;

-- name: notify!
-- Tell whoever waits.
SELECT pg_notify(:channel, :payload);
