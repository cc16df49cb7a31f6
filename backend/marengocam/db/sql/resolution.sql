-- name: take_turn!
-- Resolvers decide one after another: the same newcomer on two cameras must not become two identities.
-- The index of strangers' faces is searched more widely than by default in this transaction: hardly anybody is missed.
-- Every row a turn reads has an index: a small table is not to be read whole for each of hundreds of rows, as plans
-- made once for all turns would have it (four times the server's time). With that, plans are made once: to make some of
-- them anew took a turn of one track a tenth of its time.
SELECT pg_advisory_xact_lock(:key), set_config('hnsw.ef_search', '100', true), set_config('enable_seqscan', 'off', true),
    set_config('plan_cache_mode', 'force_generic_plan', true);

-- name: read_beside!
-- A turn's second connection searches as widely, by indexes only and by plans made once, too.
SELECT set_config('hnsw.ef_search', '100', true), set_config('enable_seqscan', 'off', true),
    set_config('plan_cache_mode', 'force_generic_plan', true);

-- name: claim
-- Changed tracks with what was decided about them before: first those still followed, which can still be announced in
-- time, then those that have ended, in the order of their ends. Of one moment who was seen first is first, then who was
-- seen more often and more surely; ids are random and decide nothing as long as anything else differs.
-- The limits of one row keep the planner, which cannot know how few rows it will be, from reading whole tables.
WITH followed AS (
    SELECT * FROM local_track
    WHERE resolved_revision < revision AND run_id IS NULL AND open
    ORDER BY last_seen_at, first_seen_at, observations DESC, score DESC, camera_id COLLATE "C", path, local_track_id
    LIMIT :batch
    FOR UPDATE SKIP LOCKED
), ended AS (
    SELECT * FROM local_track
    WHERE resolved_revision < revision AND run_id IS NULL AND NOT open
    ORDER BY last_seen_at, first_seen_at, observations DESC, score DESC, camera_id COLLATE "C", path, local_track_id
    LIMIT :batch - (SELECT count(*) FROM followed)
    FOR UPDATE SKIP LOCKED
)
SELECT t.local_track_id, t.camera_id, t.label, t.open, t.first_seen_at, t.last_seen_at, t.score, t.observations,
    t.path::text AS path, t.zones, t.crop_path, t.crop_paths, t.face_crop_path, halfvec_send(t.face) AS face,
    t.face_model, t.face_quality, halfvec_send(t.appearance) AS appearance, t.appearance_model, t.appearance_quality,
    t.name_evidence::text AS name_evidence, t.face_engine_ok, t.revision,
    a.identity_id, i.person_id, a.probability, a.decided_by, a.announced_person_id, a.announced_unknown, a.decided_at,
    (
        SELECT count(*) FROM (
            SELECT FROM assignment other
            WHERE other.identity_id = a.identity_id AND other.local_track_id <> a.local_track_id
            LIMIT :batch
        ) AS rest
    ) AS others
FROM (SELECT * FROM followed UNION ALL SELECT * FROM ended) AS t
LEFT JOIN LATERAL (SELECT * FROM assignment WHERE local_track_id = t.local_track_id LIMIT 1) AS a ON true
LEFT JOIN LATERAL (SELECT * FROM identity WHERE identity_id = a.identity_id LIMIT 1) AS i ON true
ORDER BY t.open DESC, t.last_seen_at, t.first_seen_at, t.observations DESC, t.score DESC, t.camera_id COLLATE "C", t.path,
    t.local_track_id;

-- name: backlog$
-- How many live tracks wait for a decision.
SELECT count(*) FROM local_track WHERE resolved_revision < revision AND run_id IS NULL;

-- name: sights^
-- Assigned tracks around the moments of a turn, newest first: all that came after the earliest track's window, and as
-- many before it as any decision looks at. Paths only where one of the turn's cameras saw them at about that time.
-- One row of columns: the driver reads arrays several times faster than rows. Seconds by `date_part`, since `extract` makes
-- decimals of them first, which takes five times as long for the same number.
WITH seen AS (
    (
        SELECT t.local_track_id, t.camera_id, t.first_seen_at, t.last_seen_at, t.path, a.*
        FROM local_track t
        CROSS JOIN LATERAL (
            SELECT identity_id, decided_by, probability, evidence FROM assignment
            WHERE local_track_id = t.local_track_id LIMIT 1
        ) AS a
        WHERE t.run_id IS NULL AND t.last_seen_at > :common_to AND t.last_seen_at <= :to_at
    )
    UNION ALL
    (
        SELECT t.local_track_id, t.camera_id, t.first_seen_at, t.last_seen_at, t.path, a.*
        FROM local_track t
        CROSS JOIN LATERAL (
            SELECT identity_id, decided_by, probability, evidence FROM assignment
            WHERE local_track_id = t.local_track_id LIMIT 1
        ) AS a
        WHERE t.run_id IS NULL AND t.last_seen_at BETWEEN :from_at AND :common_to
        ORDER BY t.last_seen_at DESC, t.first_seen_at, t.camera_id COLLATE "C", t.local_track_id
        LIMIT :most
    )
)
SELECT array_agg(local_track_id) AS local_track_ids, array_agg(identity_id) AS identity_ids,
    array_agg(person_id) AS person_ids, array_agg(camera_id) AS camera_ids, array_agg(first_s) AS first_s,
    array_agg(last_s) AS last_s, array_agg(probability) AS probabilities, array_agg(path) AS paths
FROM (
    SELECT t.local_track_id, t.identity_id, i.person_id, t.camera_id,
        date_part('epoch', t.first_seen_at) AS first_s, date_part('epoch', t.last_seen_at) AS last_s,
        CASE WHEN t.decided_by = 'human' THEN 1
            ELSE coalesce((t.evidence ->> 'trust')::float8, t.probability) END AS probability,
        CASE WHEN t.camera_id = ANY(:camera_ids) AND t.last_seen_at >= :path_from AND t.first_seen_at <= :path_to
            THEN t.path::text END AS path
    FROM seen t
    CROSS JOIN LATERAL (SELECT person_id FROM identity WHERE identity_id = t.identity_id LIMIT 1) AS i
    ORDER BY t.last_seen_at DESC, t.first_seen_at, t.camera_id COLLATE "C", t.local_track_id
) AS sight;

-- name: facts
-- What humans said, in one list: persons with their names, whom identities are not, of whom nothing is told, and which
-- of these identities they spoke about: some track of theirs was decided on by a human, be it long ago. And what engines
-- without embeddings called tracks of those of these identities that have a name, which alone it counts for: where such
-- words are few in all, they are gone through, else these identities' tracks. A year of words is not to be read a turn.
WITH said AS MATERIALIZED (
    SELECT local_track_id, name_evidence::text AS name FROM local_track
    WHERE name_evidence IS NOT NULL AND run_id IS NULL
    LIMIT :few
)
SELECT 'person' AS kind, person_id AS subject_id, NULL::uuid AS other_id, name FROM person
UNION ALL SELECT 'denial', identity_id, person_id, NULL FROM denial
UNION ALL SELECT 'ignored', identity_id, NULL, NULL FROM identity WHERE ignored
UNION ALL SELECT 'ignored', person_id, NULL, NULL FROM person WHERE ignored
UNION ALL SELECT DISTINCT 'spoken', identity_id, NULL::uuid, NULL FROM assignment
WHERE decided_by = 'human' AND identity_id = ANY(:identity_ids::uuid[])
UNION ALL SELECT 'called', said.local_track_id, a.identity_id, said.name
FROM said
CROSS JOIN LATERAL (SELECT identity_id FROM assignment WHERE local_track_id = said.local_track_id LIMIT 1) AS a
CROSS JOIN LATERAL (SELECT person_id FROM identity WHERE identity_id = a.identity_id LIMIT 1) AS i
WHERE (SELECT count(*) FROM said) < :few AND a.identity_id = ANY(:identity_ids::uuid[]) AND i.person_id IS NOT NULL
UNION ALL SELECT 'called', t.local_track_id, named.identity_id, t.name
FROM unnest(:identity_ids::uuid[]) AS one (identity_id)
CROSS JOIN LATERAL (
    SELECT identity_id FROM identity WHERE identity_id = one.identity_id AND person_id IS NOT NULL LIMIT 1
) AS named
CROSS JOIN LATERAL (SELECT local_track_id FROM assignment WHERE identity_id = named.identity_id OFFSET 0) AS a
CROSS JOIN LATERAL (
    SELECT local_track_id, name_evidence::text AS name FROM local_track
    WHERE local_track_id = a.local_track_id AND name_evidence IS NOT NULL AND run_id IS NULL LIMIT 1
) AS t
WHERE (SELECT count(*) FROM said) >= :few;

-- name: strangers
-- For the face of each of some tracks: unknown identities of any day whose remembered faces are nearest, by the index of
-- such faces.
WITH probe AS MATERIALIZED (
    SELECT local_track_id, face::halfvec(128) AS vector FROM local_track WHERE local_track_id = ANY(:local_track_ids)
)
SELECT probe.local_track_id, near.identity_id
FROM probe
CROSS JOIN LATERAL (
    SELECT e.identity_id, e.local_track_id, e.model, e.created_at, e.embedding::halfvec(128) <=> probe.vector AS distance
    FROM exemplar e
    WHERE e.remembered AND e.kind = 'face' AND e.person_id IS NULL AND vector_dims(e.embedding) = 128
    ORDER BY e.embedding::halfvec(128) <=> probe.vector
    LIMIT :searched
) AS near
JOIN identity i ON i.identity_id = near.identity_id
WHERE i.person_id IS NULL AND i.merged_into IS NULL AND near.model = :model AND near.created_at >= :from_at
    AND near.local_track_id IS DISTINCT FROM probe.local_track_id
ORDER BY probe.local_track_id, near.distance, near.identity_id;

-- name: looks
-- Every exemplar that a turn's tracks are compared with: of these identities, and the lasting faces of all persons.
-- Faces by other models than the tracks' only of identities that have a name, which has to hold, and of those persons.
-- A row of columns for each kind, model and size; vectors one after another.
WITH chosen AS (
    SELECT e.* FROM exemplar e
    WHERE e.identity_id = ANY(:identity_ids)
        AND (e.kind = 'face' AND (e.model = ANY(:face_models) OR e.identity_id = ANY(:named_ids)) AND e.person_id IS NULL
            OR e.kind = 'appearance' AND e.model = ANY(:appearance_models))
    UNION ALL
    SELECT e.* FROM person p
    CROSS JOIN LATERAL (
        SELECT * FROM exemplar
        WHERE person_id = p.person_id AND kind = 'face'
            AND (model = ANY(:face_models) OR p.person_id = ANY(:person_ids))
        LIMIT :most_faces
    ) AS e
)
SELECT e.kind, e.model, array_agg(e.exemplar_id) AS exemplar_ids, string_agg(halfvec_send(e.embedding), '') AS vectors,
    array_agg(e.quality) AS qualities, array_agg(date_part('epoch', e.created_at)) AS at_s,
    array_agg(CASE WHEN e.person_id IS NOT NULL OR a.decided_by = 'human' THEN 1
        ELSE coalesce((a.evidence ->> 'trust')::float8, a.probability, 1) END) AS trusts,
    array_agg(e.person_id) AS person_ids, array_agg(e.identity_id) AS identity_ids,
    array_agg(e.local_track_id) AS local_track_ids, array_agg(e.source) AS sources,
    array_agg(coalesce(a.decided_by = 'human', false)) AS humans
FROM chosen e
LEFT JOIN LATERAL (SELECT * FROM assignment WHERE local_track_id = e.local_track_id LIMIT 1) AS a ON true
GROUP BY e.kind, e.model, vector_dims(e.embedding);

-- name: write_decisions!
-- All decisions of a turn in one round trip: the identities made or widened (whom a human or an earlier decision named
-- it stays), the assignments (of a human's only what was said since, I6), what the tracks leave in the galleries (their
-- own vectors, which no one changes while they are claimed), and that they have been decided on as they were then.
WITH kept_identities AS (
    INSERT INTO identity (identity_id, person_id, first_seen_at, last_seen_at, created_at)
    SELECT one.*, :at
    FROM unnest(:kept_ids::uuid[], :person_ids::uuid[], :first::timestamptz[], :last::timestamptz[])
        AS one (identity_id, person_id, first_seen_at, last_seen_at)
    ON CONFLICT (identity_id) DO UPDATE SET
        person_id = coalesce(identity.person_id, excluded.person_id),
        first_seen_at = least(identity.first_seen_at, excluded.first_seen_at),
        last_seen_at = greatest(identity.last_seen_at, excluded.last_seen_at)
), assigned AS (
    INSERT INTO assignment (local_track_id, identity_id, probability, margin, evidence, decided_by, decided_at,
        announced_person_id, announced_unknown)
    SELECT one.local_track_id, one.identity_id, one.probability, one.margin, one.evidence::jsonb, 'resolver', :at,
        one.announced_person_id, one.announced_unknown
    FROM unnest(:local_track_ids::uuid[], :identity_ids::uuid[], :probabilities::real[], :margins::real[],
        :evidences::text[], :announced_persons::uuid[], :announced_unknowns::boolean[])
        AS one (local_track_id, identity_id, probability, margin, evidence, announced_person_id, announced_unknown)
    ON CONFLICT (local_track_id) DO UPDATE SET
        identity_id = CASE WHEN assignment.decided_by = 'human' THEN assignment.identity_id ELSE excluded.identity_id END,
        probability = CASE WHEN assignment.decided_by = 'human' THEN assignment.probability ELSE excluded.probability END,
        margin = CASE WHEN assignment.decided_by = 'human' THEN assignment.margin ELSE excluded.margin END,
        evidence = CASE WHEN assignment.decided_by = 'human' THEN assignment.evidence ELSE excluded.evidence END,
        decided_at = CASE WHEN assignment.decided_by = 'human' THEN assignment.decided_at ELSE excluded.decided_at END,
        announced_person_id = excluded.announced_person_id, announced_unknown = excluded.announced_unknown
), forgotten AS (
    DELETE FROM exemplar
    WHERE local_track_id = ANY(:local_track_ids::uuid[]) AND source <> 'enrolled'
        AND exemplar_id <> ALL(:exemplar_ids::uuid[])
), kept_exemplars AS (
    INSERT INTO exemplar (exemplar_id, person_id, identity_id, local_track_id, kind, model, embedding, quality, source,
        picture_path, created_at, remembered)
    SELECT one.exemplar_id, one.person_id, one.identity_id, one.local_track_id, one.kind, one.model,
        CASE one.kind WHEN 'face' THEN t.face ELSE t.appearance END, one.quality, one.source, one.picture_path,
        one.created_at, one.remembered
    FROM unnest(:exemplar_ids::uuid[], :exemplar_persons::uuid[], :exemplar_identities::uuid[],
        :exemplar_tracks::uuid[], :kinds::text[], :models::text[], :qualities::real[],
        :sources::text[], :picture_paths::text[], :seen::timestamptz[], :remembered::boolean[])
        AS one (exemplar_id, person_id, identity_id, local_track_id, kind, model, quality, source, picture_path,
            created_at, remembered)
    CROSS JOIN LATERAL (SELECT face, appearance FROM local_track WHERE local_track_id = one.local_track_id LIMIT 1) AS t
    ON CONFLICT (exemplar_id) DO UPDATE SET
        person_id = excluded.person_id, identity_id = excluded.identity_id, embedding = excluded.embedding,
        quality = excluded.quality, source = excluded.source, picture_path = excluded.picture_path,
        created_at = excluded.created_at, remembered = excluded.remembered
)
UPDATE local_track SET resolved_revision = one.revision
FROM unnest(:decided_ids::uuid[], :revisions::bigint[]) AS one (local_track_id, revision)
WHERE local_track.local_track_id = one.local_track_id;

-- name: leave_identities!
-- Tracks have moved on: an identity without tracks gives way to the one that took them, another shrinks to its own.
WITH gone AS (
    SELECT one.left_id, one.identity_id
    FROM unnest(:left_ids::uuid[], :identity_ids::uuid[]) AS one (left_id, identity_id)
), rest AS (
    SELECT gone.left_id, gone.identity_id, count(t.local_track_id) AS tracks,
        min(t.first_seen_at) AS first_seen_at, max(t.last_seen_at) AS last_seen_at
    FROM gone
    LEFT JOIN assignment a ON a.identity_id = gone.left_id
    LEFT JOIN local_track t USING (local_track_id)
    GROUP BY gone.left_id, gone.identity_id
)
UPDATE identity SET
    merged_into = CASE WHEN rest.tracks = 0 THEN rest.identity_id ELSE identity.merged_into END,
    first_seen_at = coalesce(rest.first_seen_at, identity.first_seen_at),
    last_seen_at = coalesce(rest.last_seen_at, identity.last_seen_at)
FROM rest
WHERE identity.identity_id = rest.left_id;

-- name: trim_exemplars!
-- Keep only the newest passing looks of identities, of faces the best, of each kind and model; faces that a human spoke
-- about stay first.
DELETE FROM exemplar
WHERE exemplar_id IN (
    SELECT exemplar_id FROM (
        SELECT exemplar_id, row_number() OVER (
            PARTITION BY e.identity_id, e.kind, e.model
            ORDER BY e.kind = 'face' AND coalesce(a.decided_by = 'human', false) DESC,
                CASE WHEN e.kind = 'face' THEN e.quality ELSE 0 END DESC, e.created_at DESC, e.quality DESC, e.exemplar_id
        ) AS place
        FROM exemplar e
        LEFT JOIN assignment a ON a.local_track_id = e.local_track_id
        WHERE e.identity_id = ANY(:identity_ids::uuid[]) AND e.person_id IS NULL
    ) AS passing
    WHERE place > :most
);

-- name: take_names_back!
-- Identities are not whom the resolver called them: they are unknown again, and so are the faces that they left in a
-- gallery. Tracks whose name was told are looked at again, however old: somebody heard it.
WITH unnamed AS (
    UPDATE identity SET person_id = NULL WHERE identity_id = ANY(:identity_ids::uuid[])
), faces AS (
    UPDATE exemplar SET person_id = NULL, source = 'observed', remembered = kind = 'face'
    WHERE identity_id = ANY(:identity_ids::uuid[]) AND source <> 'enrolled'
)
UPDATE local_track SET revision = revision + 1
WHERE local_track_id IN (
    SELECT t.local_track_id
    FROM assignment a
    JOIN local_track t ON t.local_track_id = a.local_track_id
    WHERE a.identity_id = ANY(:identity_ids::uuid[]) AND a.announced_person_id IS NOT NULL AND t.run_id IS NULL
        AND a.decided_by <> 'human'
    FOR UPDATE OF t SKIP LOCKED
);

-- name: wake_identities!
-- An identity's person is new to it, or taken from it: its other tracks that are still news are looked at again.
-- They are found among the few that are followed or were seen since, not among all that an identity of years has; where
-- those are more than a few, as in a long backlog, among the identity's own. Arrays, and limits of one row, keep the
-- planner, which cannot know how few rows it will be, from reading whole tables.
-- Those that somebody else is writing just now are left out; that write brings them back by itself.
WITH woken AS MATERIALIZED (
    SELECT one.identity_id, one.local_track_id, one.from_at
    FROM unnest(:identity_ids::uuid[], :local_track_ids::uuid[], :moments::timestamptz[])
        AS one (identity_id, local_track_id, from_at)
), later AS MATERIALIZED (
    SELECT local_track_id, open, last_seen_at FROM local_track
    WHERE run_id IS NULL AND last_seen_at >= (SELECT min(from_at) FROM woken)
    LIMIT :few
), news AS (
    SELECT * FROM later
    UNION SELECT local_track_id, open, last_seen_at FROM local_track WHERE run_id IS NULL AND open
    UNION SELECT t.*
    FROM woken
    JOIN assignment a ON a.identity_id = woken.identity_id
    CROSS JOIN LATERAL (
        SELECT local_track_id, open, last_seen_at FROM local_track
        WHERE local_track_id = a.local_track_id AND run_id IS NULL LIMIT 1
    ) AS t
    WHERE (SELECT count(*) FROM later) >= :few
), theirs AS (
    SELECT news.local_track_id
    FROM news
    CROSS JOIN LATERAL (SELECT identity_id FROM assignment WHERE local_track_id = news.local_track_id LIMIT 1) AS a
    JOIN woken one ON one.identity_id = a.identity_id
    WHERE news.local_track_id <> one.local_track_id AND (news.open OR news.last_seen_at >= one.from_at)
)
UPDATE local_track SET revision = revision + 1
WHERE local_track_id = ANY(ARRAY(
    SELECT local_track_id FROM local_track
    WHERE local_track_id = ANY(ARRAY(SELECT local_track_id FROM theirs))
    FOR UPDATE SKIP LOCKED
));

-- name: carry_names!
-- An identity is found to be a person: its other tracks are that person as surely as they are of its founder and the
-- founder is the person. Until then their probability told how sure they were to be of it, or of somebody new.
UPDATE assignment a
SET probability = one.probability * coalesce((a.evidence ->> 'trust')::float8, a.probability)
FROM unnest(:identity_ids::uuid[], :probabilities::float8[]) AS one (identity_id, probability)
WHERE a.identity_id = one.identity_id AND a.decided_by <> 'human'
    AND a.local_track_id <> ALL(:named_ids::uuid[]);

-- name: join_identities!
-- An unknown of this visit is the stranger of before: its tracks and looks go there, and its id leads there.
WITH tracks AS (
    UPDATE assignment SET identity_id = :into_id WHERE identity_id = :identity_id
), looks AS (
    UPDATE exemplar SET identity_id = :into_id WHERE identity_id = :identity_id
), gone AS (
    SELECT first_seen_at, last_seen_at FROM identity WHERE identity_id = :identity_id
), into_one AS (
    UPDATE identity SET first_seen_at = least(identity.first_seen_at, gone.first_seen_at),
        last_seen_at = greatest(identity.last_seen_at, gone.last_seen_at)
    FROM gone WHERE identity.identity_id = :into_id
)
UPDATE identity SET merged_into = :into_id WHERE identity_id = :identity_id;
