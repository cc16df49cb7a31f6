-- name: shadow#
-- Tables of this session alone, under the names of the live ones and before them in the search path: the resolver's own
-- queries read and write these, and cannot reach the live ones (I5). They are gone with the session.
CREATE TEMP TABLE person (LIKE public.person INCLUDING ALL);
CREATE TEMP TABLE identity (LIKE public.identity INCLUDING ALL);
CREATE TEMP TABLE local_track (LIKE public.local_track INCLUDING ALL);
CREATE TEMP TABLE assignment (LIKE public.assignment INCLUDING ALL);
-- Without the live index of faces, whose answers vary from one making to the next: here they are searched exactly.
CREATE TEMP TABLE exemplar (LIKE public.exemplar INCLUDING ALL EXCLUDING INDEXES);
ALTER TABLE pg_temp.exemplar ADD PRIMARY KEY (exemplar_id);
CREATE INDEX ON pg_temp.exemplar (identity_id);
CREATE INDEX ON pg_temp.exemplar (person_id);
CREATE INDEX ON pg_temp.exemplar (local_track_id);
CREATE TEMP TABLE denial (LIKE public.denial INCLUDING ALL);
CREATE TEMP TABLE event (LIKE public.event INCLUDING ALL);
CREATE TEMP TABLE waiting (LIKE public.local_track INCLUDING ALL);

-- name: copy_persons!
-- Everybody known at a moment.
INSERT INTO pg_temp.person SELECT * FROM public.person WHERE created_at <= :gallery_at;

-- name: copy_others!
-- Live tracks around the stretch that are not the replayed camera's own within it, the latest first if there are too
-- many; they wait until the replay has come to their time.
INSERT INTO pg_temp.waiting
SELECT * FROM public.local_track
WHERE run_id IS NULL AND last_seen_at >= :since AND first_seen_at <= :to_at
    AND NOT (camera_id = :camera_id AND last_seen_at >= :from_at AND first_seen_at < :to_at)
ORDER BY last_seen_at DESC
LIMIT :most;

-- name: copy_assignments!
-- Who those tracks are.
INSERT INTO pg_temp.assignment
SELECT a.* FROM public.assignment a JOIN pg_temp.waiting USING (local_track_id);

-- name: copy_exemplars!
-- The persons' lasting faces, what those tracks left, and the newest unknown faces: as they were at the moment, and none
-- of the tracks that are replayed, which would be recognised by themselves.
INSERT INTO pg_temp.exemplar
SELECT e.* FROM public.exemplar e
WHERE e.created_at <= :gallery_at
    AND (e.source = 'enrolled' OR NOT EXISTS (
        SELECT FROM public.local_track own
        WHERE own.local_track_id = e.local_track_id AND own.run_id IS NULL AND own.camera_id = :camera_id
            AND own.last_seen_at >= :from_at AND own.first_seen_at < :to_at
    ))
    AND (e.person_id IN (SELECT person_id FROM pg_temp.person)
        OR e.local_track_id IN (SELECT local_track_id FROM pg_temp.waiting)
        OR (e.kind = 'face' AND e.person_id IS NULL AND e.exemplar_id IN (
            SELECT newest.exemplar_id FROM public.exemplar newest
            WHERE newest.remembered AND newest.kind = 'face' AND newest.person_id IS NULL
                AND newest.created_at < :from_at
            ORDER BY newest.created_at DESC, newest.exemplar_id LIMIT :strangers
        )));

-- name: copy_identities!
-- Whose those tracks and looks are; a person who was not known yet is unknown.
INSERT INTO pg_temp.identity
SELECT i.* FROM public.identity i
WHERE i.identity_id IN (
    SELECT identity_id FROM pg_temp.assignment UNION SELECT identity_id FROM pg_temp.exemplar
    UNION SELECT identity_id FROM public.denial
);

-- name: unname!
-- Whoever was not known at the moment has no name.
UPDATE pg_temp.identity SET person_id = NULL
WHERE person_id IS NOT NULL AND person_id NOT IN (SELECT person_id FROM pg_temp.person);

-- name: unname_exemplars!
-- Nor have their looks.
UPDATE pg_temp.exemplar SET person_id = NULL
WHERE person_id IS NOT NULL AND identity_id IS NOT NULL AND person_id NOT IN (SELECT person_id FROM pg_temp.person);

-- name: copy_denials!
-- What humans said who is not whom.
INSERT INTO pg_temp.denial
SELECT d.* FROM public.denial d JOIN pg_temp.person USING (person_id);

-- name: digest^
-- What identity rests on besides the tracks, as one value: equal digests mean equal galleries.
SELECT (SELECT count(*) FROM pg_temp.person) AS persons,
    (SELECT count(*) FROM pg_temp.exemplar WHERE person_id IS NOT NULL AND kind = 'face') AS faces,
    (SELECT count(*) FROM pg_temp.waiting) AS tracks_around,
    md5(concat(
        (SELECT string_agg(concat_ws(' ', person_id, name, ignored), ',' ORDER BY person_id) FROM pg_temp.person),
        (SELECT string_agg(concat_ws(' ', exemplar_id, person_id, identity_id, embedding, quality), ','
            ORDER BY exemplar_id) FROM pg_temp.exemplar),
        (SELECT string_agg(concat_ws(' ', local_track_id, identity_id, probability), ',' ORDER BY local_track_id)
            FROM pg_temp.assignment),
        (SELECT string_agg(concat_ws(' ', identity_id, person_id, ignored), ',' ORDER BY identity_id)
            FROM pg_temp.identity),
        (SELECT string_agg(concat_ws(' ', identity_id, person_id), ',' ORDER BY identity_id, person_id)
            FROM pg_temp.denial)
    )) AS digest;

-- name: reveal!
-- The replay has come to the time of these: from now on they are sights like any other.
WITH come AS (
    DELETE FROM pg_temp.waiting WHERE first_seen_at <= :until RETURNING *
)
INSERT INTO pg_temp.local_track SELECT * FROM come;

-- name: settle!
-- Those are history, not to be decided on again.
UPDATE pg_temp.local_track SET resolved_revision = revision
WHERE resolved_revision < revision AND local_track_id <> ALL(CAST(:own AS uuid[]));

-- name: verdicts
-- What was decided about the replayed tracks in the end.
SELECT a.local_track_id, a.identity_id, i.person_id, p.name AS person_name, a.probability, a.margin,
    a.evidence::text AS evidence
FROM pg_temp.assignment a
JOIN pg_temp.identity i USING (identity_id)
LEFT JOIN pg_temp.person p USING (person_id)
WHERE a.local_track_id = ANY(CAST(:own AS uuid[]));
