-- name: take_turn!
-- Erasing waits for the resolver's turn to end, and the next turn for it.
SELECT pg_advisory_xact_lock(:key);

-- name: person^
-- Who is meant.
SELECT person_id, name, created_at, picture_path, ignored FROM person WHERE person_id = :person_id;

-- name: person_ids
-- The person, and all that humans said to be the same: they have no row any more, but events of theirs are there.
WITH RECURSIVE same AS (
    SELECT CAST(:person_id AS uuid) AS person_id
    UNION
    SELECT merged.person_id
    FROM same
    JOIN word w ON w.kind = 'merge_persons' AND w.undone_at IS NULL AND w.subjects @> ARRAY[same.person_id]
    CROSS JOIN unnest(w.changed) AS merged (person_id)
    WHERE NOT EXISTS (SELECT FROM person p WHERE p.person_id = merged.person_id)
)
SELECT person_id FROM same;

-- name: gone$
-- Since when somebody was spoken of who is no more, as the word was taken back; null: nothing is known of them, they
-- live, they were found to be somebody else, or they were erased.
SELECT least(
    (SELECT min(said_at) FROM word WHERE made @> ARRAY[CAST(:person_id AS uuid)]),
    (SELECT min(recorded_at) FROM event WHERE person_id = :person_id)
)
WHERE NOT EXISTS (SELECT FROM person WHERE person_id = :person_id)
    AND NOT EXISTS (SELECT FROM word w WHERE (w.kind = 'erase' OR w.kind = 'merge_persons' AND w.undone_at IS NULL)
        AND w.changed @> ARRAY[CAST(:person_id AS uuid)]);

-- name: taken_back
-- Persons who are no more, as words were taken back: those that these identities were taken for, or identities that these
-- were split off from or merged with, and those who were called by one of these names.
WITH RECURSIVE related AS (
    SELECT unnest(CAST(:identity_ids AS uuid[])) AS identity_id
    UNION
    SELECT other.identity_id
    FROM related
    CROSS JOIN LATERAL (
        SELECT i.identity_id FROM word w JOIN identity i ON i.identity_id = ANY(w.subjects)
            WHERE w.kind IN ('name', 'split', 'deny', 'merge') AND w.subjects @> ARRAY[related.identity_id]
        UNION ALL SELECT i.identity_id FROM identity i WHERE i.merged_into = related.identity_id
        UNION ALL SELECT i.merged_into FROM identity i
            WHERE i.identity_id = related.identity_id AND i.merged_into IS NOT NULL
    ) AS other
), called AS (
    SELECT lower(btrim(name)) AS name FROM unnest(CAST(:names AS text[])) AS name
), spoken_of AS (
    SELECT unnest(made) AS person_id FROM word WHERE subjects && ARRAY(SELECT identity_id FROM related)
    UNION SELECT person_id FROM event
        WHERE identity_id IN (SELECT identity_id FROM related) OR lower(btrim(person_name)) IN (SELECT name FROM called)
    UNION SELECT CAST(data ->> 'was_person_id' AS uuid) FROM event
        WHERE data ? 'was_person_id' AND (identity_id IN (SELECT identity_id FROM related)
            OR lower(btrim(data ->> 'was_person_name')) IN (SELECT name FROM called))
    UNION SELECT person_id FROM rule_firing WHERE lower(btrim(person_name)) IN (SELECT name FROM called)
    UNION SELECT CAST(one ->> 'person_id' AS uuid) FROM word, jsonb_array_elements(before -> 'persons') AS one
        WHERE lower(btrim(one ->> 'name')) IN (SELECT name FROM called)
)
SELECT person_id FROM spoken_of
WHERE person_id IS NOT NULL AND NOT EXISTS (SELECT FROM person p WHERE p.person_id = spoken_of.person_id)
    AND NOT EXISTS (SELECT FROM word w WHERE (w.kind = 'erase' OR w.kind = 'merge_persons' AND w.undone_at IS NULL)
        AND w.changed @> ARRAY[spoken_of.person_id])
ORDER BY person_id;

-- name: identity^
-- An identity that is valid, and its person.
SELECT i.identity_id, i.created_at, p.name AS person_name
FROM identity i
LEFT JOIN person p USING (person_id)
WHERE i.identity_id = :identity_id AND i.merged_into IS NULL;

-- name: identity_ids
-- The identities of a person, or the one that is meant, and those that were found to be one of them.
WITH RECURSIVE own AS (
    SELECT identity_id FROM identity WHERE person_id = :person_id OR identity_id = :identity_id
    UNION
    SELECT i.identity_id FROM own JOIN identity i ON i.merged_into = own.identity_id
)
SELECT identity_id FROM own;

-- name: names_of
-- What persons are and were called, without what somebody else is called now: that would be taken from them.
WITH called AS (
    SELECT name FROM person WHERE person_id = ANY(:person_ids)
    UNION SELECT name FROM engine_copy WHERE person_id = ANY(:person_ids) AND name IS NOT NULL
    UNION SELECT person_name FROM event WHERE person_id = ANY(:person_ids) AND person_name IS NOT NULL
    UNION SELECT data ->> 'was_person_name' FROM event
        WHERE data ->> 'was_person_id' = ANY(SELECT id::text FROM unnest(CAST(:person_ids AS uuid[])) AS id)
            AND data ? 'was_person_name'
    UNION SELECT person_name FROM rule_firing WHERE person_id = ANY(:person_ids) AND person_name IS NOT NULL
    UNION SELECT one ->> 'name' FROM word, jsonb_array_elements(before -> 'persons') AS one
        WHERE CAST(one ->> 'person_id' AS uuid) = ANY(:person_ids)
)
SELECT name FROM called
WHERE NOT EXISTS (SELECT FROM person p
    WHERE lower(btrim(p.name)) = lower(btrim(called.name)) AND p.person_id <> ALL(CAST(:person_ids AS uuid[])));

-- name: any_of$
-- What finds any of these names as whole words in a text, from a word's start.
SELECT '(^|\W)(' || string_agg(regexp_replace(called, '(\W)', '\\\1', 'g'), '|') || ')(?=\W|$)'
FROM unnest(CAST(:names AS text[])) AS called;

-- name: tracks_of
-- The tracks of a person, with what is known of each; vectors as pgvector sends half precision (two counts of 16 bits,
-- then 16-bit floats), in base64.
SELECT t.local_track_id, t.camera_id, t.label, t.open, t.first_seen_at, t.last_seen_at, t.zones, t.path::text AS path,
    t.crop_path, t.crop_paths, t.face_crop_path, t.name_evidence::text AS name_evidence,
    encode(halfvec_send(t.face), 'base64') AS face_base64, t.face_model, t.face_quality,
    encode(halfvec_send(t.appearance), 'base64') AS appearance_base64, t.appearance_model, t.appearance_quality,
    a.identity_id, a.probability, a.decided_by, a.decided_at, a.evidence::text AS evidence
FROM local_track t
JOIN assignment a USING (local_track_id)
JOIN identity i USING (identity_id)
WHERE i.person_id = :person_id
ORDER BY t.first_seen_at;

-- name: exemplars_of
-- A person's gallery, and the passing looks of the person's identities.
SELECT e.exemplar_id, e.kind, e.model, e.quality, e.source, e.picture_path, e.created_at,
    e.embedding::real[] AS embedding
FROM exemplar e
LEFT JOIN identity i USING (identity_id)
WHERE e.person_id = :person_id OR i.person_id = :person_id
ORDER BY e.created_at;

-- name: events_of
-- What was told about a person, and of whom somebody was taken for the person.
SELECT number, type, occurred_at, camera_id, local_track_id, person_name, probability, zones, data::text AS data
FROM event
WHERE person_id = ANY(:person_ids)
    OR data ->> 'was_person_id' = ANY(SELECT id::text FROM unnest(CAST(:person_ids AS uuid[])) AS id)
ORDER BY number;

-- name: firings_of
-- What rules did about a person.
SELECT f.rule_name, f.event_number, f.event_type, f.fired_at, f.camera_id, o.action, o.target, o.state
FROM rule_firing f
LEFT JOIN rule_outcome o USING (firing_id)
WHERE f.person_id = ANY(:person_ids)
ORDER BY f.fired_at, o.place;

-- name: words_of
-- What humans said about a person.
SELECT kind, said_at, said_by, summary, undone_at FROM word
WHERE subjects && CAST(:person_ids AS uuid[])
    OR subjects && ARRAY(SELECT identity_id FROM identity WHERE person_id = :person_id)
ORDER BY said_at;

-- name: blank_tracks
-- Faces, looks, names and pictures go from the tracks of who is erased, and do not come back with ingest's next save; that somebody
-- was there stays. Returns the pictures.
WITH gone AS (
    SELECT t.local_track_id, t.crop_path, t.crop_paths, t.face_crop_path
    FROM local_track t
    JOIN assignment a USING (local_track_id)
    WHERE a.identity_id = ANY(:identity_ids)
), blanked AS (
    UPDATE local_track SET face = NULL, face_model = NULL, face_quality = NULL, appearance = NULL,
        appearance_model = NULL, appearance_quality = NULL, name_evidence = NULL, crop_path = NULL,
        crop_paths = '{}', face_crop_path = NULL, withheld = 'all'
    WHERE local_track_id IN (SELECT local_track_id FROM gone)
)
SELECT path FROM gone, unnest(gone.crop_paths || gone.crop_path || gone.face_crop_path) AS path WHERE path IS NOT NULL;

-- name: blank_names!
-- An engine's word that it was this person goes from all tracks, and from what was decided and told about them. The server
-- lowers both sides: others lower some letters (Turkish I, Greek sigma) otherwise.
WITH named AS (
    UPDATE local_track SET name_evidence = NULL, withheld = coalesce(withheld, 'name')
    WHERE name_evidence IS NOT NULL AND lower(btrim(name_evidence ->> 'name'))
        IN (SELECT lower(btrim(called)) FROM unnest(CAST(:names AS text[])) AS called)
    RETURNING local_track_id
), reasons AS (
    UPDATE assignment SET evidence = jsonb_set(evidence, '{cues}',
        jsonb_path_query_array(evidence, '$.cues[*] ? (@.cue != "name")'))
    WHERE local_track_id IN (SELECT local_track_id FROM named) AND evidence @> '{"cues": [{"cue": "name"}]}'
)
UPDATE event SET data = '{"erased": true}'
WHERE local_track_id IN (SELECT local_track_id FROM named)
    AND data @> '{"evidence": {"cues": [{"cue": "name"}]}}';

-- name: erase_exemplars
-- All looks of who is erased; returns their pictures.
WITH gone AS (
    DELETE FROM exemplar
    WHERE person_id = ANY(:person_ids) OR identity_id = ANY(:identity_ids)
    RETURNING picture_path
)
SELECT picture_path AS path FROM gone WHERE picture_path IS NOT NULL;

-- name: blank_assignments!
-- The reasons of decisions about who is erased, and the person as runner-up in others'.
UPDATE assignment SET evidence = CASE
        WHEN identity_id = ANY(:identity_ids)
            THEN jsonb_build_object('cues', '[]'::jsonb, 'trust', coalesce(evidence -> 'trust', '0'))
        ELSE jsonb_set(evidence, '{runner_up}', 'null') END
WHERE identity_id = ANY(:identity_ids)
    OR evidence #>> '{runner_up,person_id}' = ANY(SELECT id::text FROM unnest(CAST(:person_ids AS uuid[])) AS id);

-- name: blank_events!
-- Numbered facts stay (I3); who it was goes from them.
UPDATE event SET person_id = NULL, person_name = NULL, data = '{"erased": true}' WHERE person_id = ANY(:person_ids);

-- name: blank_mentions!
-- The person as runner-up, or as whom somebody was taken for, in facts about others.
UPDATE event SET data = '{"erased": true}'
WHERE data ->> 'was_person_id' = ANY(SELECT id::text FROM unnest(CAST(:person_ids AS uuid[])) AS id)
    OR data #>> '{evidence,runner_up,person_id}' = ANY(SELECT id::text FROM unnest(CAST(:person_ids AS uuid[])) AS id);

-- name: blank_firings!
-- What rules did about the person stays counted; who it was goes, and so do topics and labels made of the name.
WITH fired AS (
    UPDATE rule_firing SET person_id = NULL, person_name = NULL WHERE person_id = ANY(:person_ids) RETURNING firing_id
)
UPDATE rule_outcome SET target = '', reason = '' WHERE firing_id IN (SELECT firing_id FROM fired);

-- name: blank_favourites!
-- Labels with one of the person's names, whether a rule made them or a hand wrote them.
WITH moments AS (
    UPDATE event SET data = jsonb_set(data, '{label}', '"Somebody who was erased"')
    WHERE type = 'moment_marked' AND data ->> 'label' ~* :any_name
)
UPDATE favourite SET label = 'Somebody who was erased' WHERE label ~* :any_name;

-- name: blank_log!
-- Nor does what automation wrote about a rule's action that failed: its target may be made of the name.
UPDATE health_log SET message = regexp_replace(message, :any_name, '\1somebody', 'gi')
WHERE service = 'automation' AND message ~* :any_name;

-- name: blank_expectations!
-- An owner's own tests that expected the person expect somebody, and have yet to be run for that.
UPDATE replay_case SET expected = wanted.expected, passed = NULL, seen = '', ran_at = NULL
FROM (
    SELECT case_id,
        regexp_replace(expected, '^\s*person[:\s]*' || :any_name || '\s*(?= zone:|$)', 'person', 'i') AS expected
    FROM replay_case
) AS wanted
WHERE wanted.case_id = replay_case.case_id AND wanted.expected <> replay_case.expected;

-- name: blank_cases!
-- Nor do the names of own tests, and what others of them saw, tell who it was; the end of its id keeps a name apart.
UPDATE replay_case SET
    name = CASE WHEN name ~* :any_name
        THEN left(regexp_replace(name, :any_name, '\1somebody', 'gi'), 91) || ' ' || right(CAST(case_id AS text), 8)
        ELSE name END,
    seen = regexp_replace(seen, '(?=:)' || :any_name || '(?= [01]\.)', '', 'gi')
WHERE name ~* :any_name OR seen ~* :any_name;

-- name: remove_replays
-- What was replayed since somebody is known may tell of them, in reports and pictures, and can be had anew from the
-- recordings; a run under way notices that it is gone. Returns whose files are to be deleted.
DELETE FROM replay_run WHERE requested_at >= :since RETURNING run_id;

-- name: blank_copies
-- Face engines that were told of the person have yet to forget them; the name is not kept for that. Returns the engines.
UPDATE engine_copy
SET name_digest = coalesce(name_digest, sha256(convert_to(person_id || '/' || name, 'UTF8'))), name = NULL
WHERE person_id = ANY(:person_ids)
RETURNING engine;

-- name: blank_words!
-- What humans said about who is erased stays as a fact, without the name and without what it would take to undo it.
UPDATE word SET summary = 'It was about somebody who was erased.', before = NULL
WHERE kind <> 'erase' AND (subjects && CAST(:person_ids AS uuid[]) OR subjects && CAST(:identity_ids AS uuid[])
    OR EXISTS (
        SELECT FROM jsonb_array_elements(coalesce(before -> 'identities', '[]') || coalesce(before -> 'persons', '[]')) AS one
        WHERE CAST(one ->> 'person_id' AS uuid) = ANY(:person_ids)));

-- name: delete_person!
-- The person; identities become unknown.
DELETE FROM person WHERE person_id = :person_id;

-- name: add_word!
-- That somebody was erased, and by whom: for good.
INSERT INTO word (word_id, kind, said_at, said_by, summary, subjects, changed, before)
VALUES (:word_id, 'erase', :said_at, :said_by, 'Somebody was erased.', :subjects, :subjects, NULL);

-- name: forget_strangers
-- Looks of the unknown that are older than their owner wants to keep, a batch at a time, those whose tracks went before
-- them too; returns the pictures.
WITH old AS (
    SELECT t.local_track_id, t.face_crop_path
    FROM local_track t
    JOIN assignment a USING (local_track_id)
    JOIN identity i USING (identity_id)
    WHERE t.last_seen_at < :before AND (t.face IS NOT NULL OR t.appearance IS NOT NULL OR t.face_crop_path IS NOT NULL)
        AND i.person_id IS NULL AND NOT i.ignored AND NOT t.open
        AND NOT EXISTS (SELECT FROM denial d WHERE d.identity_id = i.identity_id)
    ORDER BY t.last_seen_at
    LIMIT :most
), blanked AS (
    UPDATE local_track SET face = NULL, face_model = NULL, face_quality = NULL, appearance = NULL,
        appearance_model = NULL, appearance_quality = NULL, face_crop_path = NULL
    WHERE local_track_id IN (SELECT local_track_id FROM old)
), gone AS (
    DELETE FROM exemplar
    WHERE person_id IS NULL AND local_track_id IN (SELECT local_track_id FROM old)
), trackless AS (
    DELETE FROM exemplar
    WHERE exemplar_id IN (
        SELECT e.exemplar_id FROM exemplar e JOIN identity i USING (identity_id)
        WHERE e.person_id IS NULL AND e.local_track_id IS NULL AND e.created_at < :before
            AND i.person_id IS NULL AND NOT i.ignored
            AND NOT EXISTS (SELECT FROM denial d WHERE d.identity_id = i.identity_id)
        ORDER BY e.created_at
        LIMIT :most
    )
    RETURNING exemplar_id, picture_path
)
SELECT local_track_id, face_crop_path AS path FROM old
UNION ALL SELECT exemplar_id, picture_path FROM trackless;

-- name: notify!
-- Tell whoever waits.
SELECT pg_notify(:channel, :payload);
