-- name: fences
-- The present fences of these leases, locked against a change of holder until the transaction ends; in order, as `renew`.
SELECT name, fence FROM lease WHERE name = ANY(CAST(:names AS text[])) ORDER BY name FOR KEY SHARE;

-- name: save_tracks*!
-- The latest state of tracks; the resolver sees the raised revisions. What is withheld since somebody was erased stays out.
INSERT INTO local_track (local_track_id, camera_id, run_id, label, open, first_seen_at, last_seen_at, score,
    observations, path, zones, crop_path, crop_paths, face_crop_path, face, face_model, face_quality, appearance,
    appearance_model, appearance_quality, name_evidence, face_engine_ok)
VALUES (:local_track_id, :camera_id, :run_id, :label, :open, :first_seen_at, :last_seen_at, :score,
    :observations, CAST(:path AS text)::jsonb, :zones, :crop_path, :crop_paths, :face_crop_path,
    CAST(:face AS text)::halfvec, :face_model, :face_quality, CAST(:appearance AS text)::halfvec,
    :appearance_model, :appearance_quality, CAST(:name_evidence AS text)::jsonb, :face_engine_ok)
ON CONFLICT (local_track_id) DO UPDATE SET open = excluded.open, last_seen_at = excluded.last_seen_at,
    score = excluded.score, observations = excluded.observations, path = excluded.path, zones = excluded.zones,
    crop_path = CASE WHEN local_track.withheld = 'all' THEN NULL ELSE excluded.crop_path END,
    crop_paths = CASE WHEN local_track.withheld = 'all' THEN '{}' ELSE excluded.crop_paths END,
    face_crop_path = CASE WHEN local_track.withheld = 'all' THEN NULL ELSE excluded.face_crop_path END,
    face = CASE WHEN local_track.withheld = 'all' THEN NULL ELSE excluded.face END,
    face_model = CASE WHEN local_track.withheld = 'all' THEN NULL ELSE excluded.face_model END,
    face_quality = CASE WHEN local_track.withheld = 'all' THEN NULL ELSE excluded.face_quality END,
    appearance = CASE WHEN local_track.withheld = 'all' THEN NULL ELSE excluded.appearance END,
    appearance_model = CASE WHEN local_track.withheld = 'all' THEN NULL ELSE excluded.appearance_model END,
    appearance_quality = CASE WHEN local_track.withheld = 'all' THEN NULL ELSE excluded.appearance_quality END,
    name_evidence = CASE WHEN local_track.withheld IS NULL THEN excluded.name_evidence END,
    face_engine_ok = excluded.face_engine_ok, revision = local_track.revision + 1;

-- name: get_track^
-- One track with what the resolver thinks of it.
SELECT t.local_track_id, t.camera_id, t.run_id, t.label, t.open, t.first_seen_at, t.last_seen_at, t.score,
    t.observations, t.path::text AS path, t.zones, t.crop_path, t.crop_paths, t.face_crop_path, t.face::real[] AS face,
    t.face_model, t.face_quality, t.appearance::real[] AS appearance, t.appearance_model, t.appearance_quality,
    t.name_evidence::text AS name_evidence, t.face_engine_ok, a.identity_id, i.person_id, p.name AS person_name,
    a.probability, a.decided_by, a.evidence::text AS evidence
FROM local_track t
LEFT JOIN assignment a USING (local_track_id)
LEFT JOIN identity i USING (identity_id)
LEFT JOIN person p USING (person_id)
WHERE t.local_track_id = :local_track_id;

-- name: list_tracks
-- Newest first; null filters take everything. Vectors, paths and evidence stay behind.
SELECT t.local_track_id, t.camera_id, t.run_id, t.label, t.open, t.first_seen_at, t.last_seen_at, t.score,
    t.observations, t.zones, t.crop_path, t.face_crop_path, t.face_engine_ok, a.identity_id, i.person_id,
    p.name AS person_name, a.probability, a.decided_by
FROM local_track t
LEFT JOIN assignment a USING (local_track_id)
LEFT JOIN identity i USING (identity_id)
LEFT JOIN person p USING (person_id)
WHERE t.run_id IS NOT DISTINCT FROM CAST(:run_id AS uuid)
    AND (CAST(:camera_id AS text) IS NULL OR t.camera_id = :camera_id)
    AND (CAST(:person_id AS uuid) IS NULL OR i.person_id = :person_id)
    AND (CAST(:identity_id AS uuid) IS NULL OR a.identity_id = :identity_id)
    AND (CAST(:from_at AS timestamptz) IS NULL OR t.last_seen_at >= :from_at)
    AND (CAST(:to_at AS timestamptz) IS NULL OR t.first_seen_at <= :to_at)
    AND (CAST(:before_at AS timestamptz) IS NULL
        OR (t.first_seen_at, t.local_track_id) < (CAST(:before_at AS timestamptz), CAST(:before_id AS uuid)))
ORDER BY t.first_seen_at DESC, t.local_track_id DESC
LIMIT :most;

-- name: sightings
-- Live tracks of one camera in a span, those that began in one slot of time counted together; persons with a name apart from all
-- others. Slots are laid from the epoch, so that a span that moves on keeps them.
SELECT i.person_id IS NOT NULL AS named, count(*) AS count, min(t.first_seen_at) AS from_at, max(t.last_seen_at) AS to_at,
    CASE WHEN min(t.label) = max(t.label) THEN min(t.label) END AS label,
    coalesce(array_agg(DISTINCT p.name) FILTER (WHERE p.name IS NOT NULL), '{}') AS person_names
FROM local_track t
LEFT JOIN assignment a USING (local_track_id)
LEFT JOIN identity i USING (identity_id)
LEFT JOIN person p USING (person_id)
WHERE t.run_id IS NULL AND t.camera_id = :camera_id AND t.last_seen_at >= :from_at AND t.first_seen_at < :to_at
GROUP BY named, date_bin(CAST(:slot AS interval), greatest(t.first_seen_at, :from_at), TIMESTAMPTZ 'epoch')
ORDER BY from_at, named;

-- name: close_abandoned$
-- Tracks left open by a holder that is gone end at their last sight.
WITH closed AS (
    UPDATE local_track SET open = false, revision = revision + 1
    WHERE camera_id = :camera_id AND open AND run_id IS NULL
    RETURNING 1
) SELECT count(*) FROM closed;

-- name: touch_recent$
-- Have the resolver look again at tracks seen since a moment.
WITH touched AS (
    UPDATE local_track SET revision = revision + 1
    WHERE run_id IS NULL AND label = 'person' AND last_seen_at >= :from_at
    RETURNING 1
) SELECT count(*) FROM touched;

-- name: prune
-- Tracks that ended before a moment go, with the pictures to delete.
DELETE FROM local_track
WHERE local_track_id IN (
    SELECT local_track_id FROM local_track
    WHERE last_seen_at < :before AND NOT open ORDER BY last_seen_at LIMIT :most
)
RETURNING crop_path, face_crop_path, crop_paths;

-- name: picture_paths
-- Pictures that tracks, persons and galleries refer to, of this list.
SELECT crop_path AS path FROM local_track WHERE crop_path = ANY(CAST(:paths AS text[]))
UNION SELECT face_crop_path FROM local_track WHERE face_crop_path = ANY(CAST(:paths AS text[]))
UNION SELECT view FROM local_track, unnest(crop_paths) AS view WHERE crop_paths && CAST(:paths AS text[]) AND view = ANY(CAST(:paths AS text[]))
UNION SELECT picture_path FROM person WHERE picture_path = ANY(CAST(:paths AS text[]))
UNION SELECT picture_path FROM exemplar WHERE picture_path = ANY(CAST(:paths AS text[]));

-- name: notify!
-- Tell whoever waits.
SELECT pg_notify(:channel, :payload);
