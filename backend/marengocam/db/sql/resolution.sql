-- name: take_turn!
-- Resolvers decide one after another: the same newcomer on two cameras must not become two identities.
SELECT pg_advisory_xact_lock(:key);

-- name: claim_open
-- Changed tracks that are still followed: they can still be announced in time.
SELECT local_track_id, camera_id, label, open, first_seen_at, last_seen_at, score, observations, path::text AS path,
    zones, crop_path, crop_paths, face_crop_path, face::real[] AS face, face_model, face_quality,
    appearance::real[] AS appearance, appearance_model, appearance_quality, name_evidence::text AS name_evidence,
    face_engine_ok, revision
FROM local_track
WHERE resolved_revision < revision AND run_id IS NULL AND open
ORDER BY last_seen_at, local_track_id
LIMIT :batch
FOR UPDATE SKIP LOCKED;

-- name: claim_closed
-- Changed tracks that have ended, in the order of their ends.
SELECT local_track_id, camera_id, label, open, first_seen_at, last_seen_at, score, observations, path::text AS path,
    zones, crop_path, crop_paths, face_crop_path, face::real[] AS face, face_model, face_quality,
    appearance::real[] AS appearance, appearance_model, appearance_quality, name_evidence::text AS name_evidence,
    face_engine_ok, revision
FROM local_track
WHERE resolved_revision < revision AND run_id IS NULL AND NOT open
ORDER BY last_seen_at, local_track_id
LIMIT :batch
FOR UPDATE SKIP LOCKED;

-- name: backlog$
-- How many live tracks wait for a decision.
SELECT count(*) FROM local_track WHERE resolved_revision < revision AND run_id IS NULL;

-- name: assignment_of^
-- What was decided about a track before.
SELECT a.identity_id, i.person_id, a.probability, a.decided_by, a.announced_person_id, a.announced_unknown, a.decided_at,
    NOT EXISTS (
        SELECT FROM assignment other
        WHERE other.identity_id = a.identity_id AND other.local_track_id <> a.local_track_id
    ) AS alone
FROM assignment a
JOIN identity i USING (identity_id)
WHERE a.local_track_id = :local_track_id;

-- name: sights
-- Assigned tracks around a moment, newest first; paths only where the same camera saw them at about that time.
SELECT t.local_track_id, a.identity_id, i.person_id, t.camera_id, t.first_seen_at, t.last_seen_at,
    CASE WHEN a.decided_by = 'human' THEN 1
        ELSE coalesce((a.evidence ->> 'trust')::float8, a.probability) END AS probability,
    CASE WHEN t.camera_id = :camera_id AND t.last_seen_at >= :path_from AND t.first_seen_at <= :path_to
        THEN t.path::text END AS path
FROM local_track t
JOIN assignment a USING (local_track_id)
JOIN identity i USING (identity_id)
WHERE t.run_id IS NULL
    AND t.last_seen_at BETWEEN :from_at AND :to_at
    AND t.local_track_id <> :local_track_id
ORDER BY t.last_seen_at DESC
LIMIT :most;

-- name: persons
-- Everybody a human has named.
SELECT person_id, name FROM person ORDER BY person_id;

-- name: denials
-- Who a human said an identity is not.
SELECT identity_id, person_id FROM denial;

-- name: ignored
-- Identities and persons that nothing is told about.
SELECT identity_id AS subject_id FROM identity WHERE ignored
UNION ALL SELECT person_id FROM person WHERE ignored;

-- name: strangers
-- Unknown identities of any day whose faces, among the newest, are nearest to this one.
-- The probe is read once: a cast of a parameter would be evaluated again for every row.
WITH probe AS MATERIALIZED (
    SELECT :embedding::text::halfvec AS vector
), newest AS (
    SELECT e.identity_id, e.embedding
    FROM exemplar e
    WHERE e.kind = 'face' AND e.model = :model AND e.person_id IS NULL
        AND e.created_at >= :from_at
        AND e.local_track_id IS DISTINCT FROM :local_track_id
    ORDER BY e.created_at DESC
    LIMIT :searched
)
SELECT n.identity_id
FROM newest n
CROSS JOIN probe
JOIN identity i USING (identity_id)
WHERE i.person_id IS NULL AND i.merged_into IS NULL AND vector_dims(n.embedding) = :dimensions
ORDER BY CASE WHEN vector_dims(n.embedding) = :dimensions THEN n.embedding <=> probe.vector END
LIMIT :most;

-- name: likenesses
-- How like each candidate's exemplars an embedding is: the best few of every individual. The probe is read once.
WITH probe AS MATERIALIZED (
    SELECT :embedding::text::halfvec AS vector
), chosen AS (
    SELECT e.* FROM exemplar e
    WHERE e.identity_id = ANY(:identity_ids) AND e.kind = :kind AND e.model = :model
        AND (e.person_id IS NULL OR e.kind <> 'face')
    UNION ALL
    SELECT e.* FROM person p JOIN exemplar e USING (person_id)
    WHERE e.kind = 'face' AND e.kind = :kind AND e.model = :model
), compared AS (
    SELECT e.model, e.quality, e.created_at, e.identity_id, coalesce(e.person_id, i.person_id) AS person_id,
        CASE WHEN vector_dims(e.embedding) = :dimensions THEN 1 - (e.embedding <=> probe.vector) END AS cosine,
        CASE WHEN e.person_id IS NOT NULL OR a.decided_by = 'human' THEN 1
            ELSE coalesce((a.evidence ->> 'trust')::float8, a.probability, 1) END AS trust,
        e.exemplar_id
    FROM chosen e
    CROSS JOIN probe
    LEFT JOIN identity i USING (identity_id)
    LEFT JOIN assignment a ON a.local_track_id = e.local_track_id
    WHERE e.local_track_id IS DISTINCT FROM :local_track_id
), ranked AS (
    SELECT compared.*, row_number() OVER (
        PARTITION BY coalesce(person_id, identity_id) ORDER BY cosine DESC, exemplar_id
    ) AS place
    FROM compared
    WHERE cosine BETWEEN -1.01 AND 1.01
)
SELECT model, quality, created_at, identity_id, person_id, cosine, trust FROM ranked WHERE place <= :best;

-- name: transits
-- Journeys between cameras that recognition (not place and time) vouches for: seconds as log-normals.
WITH seen AS (
    SELECT t.camera_id, t.first_seen_at, t.last_seen_at, coalesce(i.person_id, i.identity_id) AS individual
    FROM local_track t
    JOIN assignment a USING (local_track_id)
    JOIN identity i USING (identity_id)
    WHERE t.run_id IS NULL AND NOT t.open AND t.last_seen_at >= :from_at
        AND (a.decided_by = 'human' OR (a.evidence ->> 'recognition')::float8 >= :recognition)
    ORDER BY t.last_seen_at DESC
    LIMIT :most
), steps AS (
    SELECT lag(camera_id) OVER journey AS from_camera, camera_id AS to_camera,
        extract(epoch FROM first_seen_at - lag(last_seen_at) OVER journey)::float8 AS seconds
    FROM seen
    WINDOW journey AS (PARTITION BY individual ORDER BY first_seen_at, camera_id)
)
SELECT from_camera, to_camera, count(*) AS count, avg(ln(greatest(seconds, :least_s::float8))) AS mean_log_s,
    coalesce(stddev_samp(ln(greatest(seconds, :least_s::float8))), 0) AS deviation_log_s
FROM steps
WHERE from_camera <> to_camera AND seconds BETWEEN 0 AND :longest_s
GROUP BY from_camera, to_camera;

-- name: covisibility
-- For each pair of cameras: tracks seen while somebody was in the other view, and how many of them were that individual.
WITH seen AS (
    SELECT t.local_track_id, t.camera_id, t.first_seen_at, t.last_seen_at,
        coalesce(i.person_id, i.identity_id) AS individual,
        a.decided_by = 'human' OR (a.evidence ->> 'recognition')::float8 >= :recognition AS recognised
    FROM local_track t
    JOIN assignment a USING (local_track_id)
    JOIN identity i USING (identity_id)
    WHERE t.run_id IS NULL AND t.last_seen_at >= :from_at
    ORDER BY t.last_seen_at DESC
    LIMIT :most
), pairs AS (
    SELECT one.local_track_id, one.camera_id AS here, other.camera_id AS there,
        bool_or(one.individual = other.individual) AS together
    FROM seen one
    JOIN seen other ON other.camera_id <> one.camera_id
        AND other.first_seen_at + make_interval(secs => :apart_s::float8) < one.last_seen_at
        AND one.first_seen_at + make_interval(secs => :apart_s::float8) < other.last_seen_at
    WHERE one.recognised
    GROUP BY one.local_track_id, one.camera_id, other.camera_id
)
SELECT here, there, count(*) AS chances, count(*) FILTER (WHERE together) AS together
FROM pairs
GROUP BY here, there;

-- name: known_events
-- Which of these facts have been numbered already.
SELECT event_id FROM event WHERE event_id = ANY(:event_ids);

-- name: write_decision!
-- One decision in one round trip: the identity made or widened (whom a human or an earlier decision named it stays), the
-- assignment (a human's is left as it is, I6), what the track leaves in the galleries, and that it has been decided on.
WITH kept_identity AS (
    INSERT INTO identity (identity_id, person_id, first_seen_at, last_seen_at, created_at)
    VALUES (:identity_id, :person_id, :first_seen_at, :last_seen_at, :at)
    ON CONFLICT (identity_id) DO UPDATE SET
        person_id = coalesce(identity.person_id, excluded.person_id),
        first_seen_at = least(identity.first_seen_at, excluded.first_seen_at),
        last_seen_at = greatest(identity.last_seen_at, excluded.last_seen_at)
), assigned AS (
    INSERT INTO assignment (local_track_id, identity_id, probability, margin, evidence, decided_by, decided_at,
        announced_person_id, announced_unknown)
    VALUES (:local_track_id, :identity_id, :probability, :margin, :evidence::text::jsonb, 'resolver', :at,
        :announced_person_id, :announced_unknown)
    ON CONFLICT (local_track_id) DO UPDATE SET
        identity_id = excluded.identity_id, probability = excluded.probability, margin = excluded.margin,
        evidence = excluded.evidence, decided_at = excluded.decided_at,
        announced_person_id = excluded.announced_person_id, announced_unknown = excluded.announced_unknown
    WHERE assignment.decided_by <> 'human'
), forgotten AS (
    DELETE FROM exemplar
    WHERE local_track_id = :local_track_id AND source <> 'enrolled' AND exemplar_id <> ALL(:exemplar_ids::uuid[])
), kept_exemplars AS (
    INSERT INTO exemplar (exemplar_id, person_id, identity_id, local_track_id, kind, model, embedding, quality, source,
        picture_path, created_at)
    SELECT one.exemplar_id, one.person_id, :identity_id, :local_track_id, one.kind, one.model,
        one.vector::halfvec, one.quality, one.source, one.picture_path, :last_seen_at
    FROM unnest(:exemplar_ids::uuid[], :exemplar_persons::uuid[], :kinds::text[], :models::text[], :vectors::text[],
        :qualities::real[], :sources::text[], :picture_paths::text[])
        AS one (exemplar_id, person_id, kind, model, vector, quality, source, picture_path)
    ON CONFLICT (exemplar_id) DO UPDATE SET
        person_id = excluded.person_id, identity_id = excluded.identity_id, embedding = excluded.embedding,
        quality = excluded.quality, source = excluded.source, picture_path = excluded.picture_path,
        created_at = excluded.created_at
)
UPDATE local_track SET resolved_revision = :revision WHERE local_track_id = :local_track_id;

-- name: note_announced!
-- Remember what was said about a track that a human decided on.
UPDATE assignment SET announced_person_id = :announced_person_id, announced_unknown = :announced_unknown
WHERE local_track_id = :local_track_id;

-- name: leave_identity!
-- A track has moved on: an identity without tracks gives way to the one that took them, another shrinks to its own.
WITH rest AS (
    SELECT count(*) AS tracks, min(t.first_seen_at) AS first_seen_at, max(t.last_seen_at) AS last_seen_at
    FROM assignment a
    JOIN local_track t USING (local_track_id)
    WHERE a.identity_id = :left_identity_id
)
UPDATE identity SET
    merged_into = CASE WHEN rest.tracks = 0 THEN :identity_id::uuid ELSE identity.merged_into END,
    first_seen_at = coalesce(rest.first_seen_at, identity.first_seen_at),
    last_seen_at = coalesce(rest.last_seen_at, identity.last_seen_at)
FROM rest
WHERE identity.identity_id = :left_identity_id;

-- name: confirmed_faces$
-- How many faces of a person the resolver has taken in for good by this model, besides this one.
SELECT count(*) FROM exemplar
WHERE person_id = :person_id AND kind = 'face' AND model = :model AND source = 'confirmed'
    AND exemplar_id <> :exemplar_id;

-- name: trim_exemplars!
-- Keep only the newest passing looks of an identity, of each kind and model; faces that a human spoke about stay first.
DELETE FROM exemplar
WHERE exemplar_id IN (
    SELECT exemplar_id FROM (
        SELECT exemplar_id, row_number() OVER (
            PARTITION BY e.kind, e.model
            ORDER BY e.kind = 'face' AND coalesce(a.decided_by = 'human', false) DESC, e.created_at DESC, e.exemplar_id
        ) AS place
        FROM exemplar e
        LEFT JOIN assignment a ON a.local_track_id = e.local_track_id
        WHERE e.identity_id = :identity_id AND e.person_id IS NULL
    ) AS passing
    WHERE place > :most
);

-- name: wake_identity!
-- The identity's person is new to it: its other tracks that are still news are looked at again.
-- Those that somebody else is writing just now are left out; that write brings them back by itself.
UPDATE local_track SET revision = revision + 1
WHERE local_track_id IN (
    SELECT t.local_track_id
    FROM local_track t
    JOIN assignment a USING (local_track_id)
    WHERE a.identity_id = :identity_id AND t.run_id IS NULL AND t.local_track_id <> :local_track_id
        AND (t.open OR t.last_seen_at >= :from_at)
    FOR UPDATE OF t SKIP LOCKED
);

-- name: resolved!
-- The track has been decided on as it was when claimed.
UPDATE local_track SET resolved_revision = :revision WHERE local_track_id = :local_track_id;
