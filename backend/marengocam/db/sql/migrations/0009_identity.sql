-- Strangers over weeks: their faces are found through an index, however long the past is.
ALTER TABLE exemplar ADD COLUMN remembered boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN exemplar.remembered IS 'True: the face of somebody unknown whose track has ended; searched when somebody comes.';
UPDATE exemplar SET remembered = true
FROM identity i
WHERE i.identity_id = exemplar.identity_id AND i.person_id IS NULL AND exemplar.kind = 'face'
    AND exemplar.person_id IS NULL
    AND NOT EXISTS (SELECT FROM local_track t WHERE t.local_track_id = exemplar.local_track_id AND t.open);
CREATE INDEX exemplar_remembered ON exemplar USING hnsw ((embedding::halfvec(128)) halfvec_cosine_ops)
    WHERE remembered AND kind = 'face' AND person_id IS NULL AND vector_dims(embedding) = 128;
DROP INDEX exemplar_unknown_faces;
