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

-- What an owner says about the ways between cameras.
CREATE TABLE camera_way (
    from_camera text NOT NULL REFERENCES camera ON DELETE CASCADE,
    to_camera text NOT NULL REFERENCES camera ON DELETE CASCADE,
    transit_s real CHECK (transit_s BETWEEN 0.5 AND 1800),
    overlap boolean,
    PRIMARY KEY (from_camera, to_camera),
    CHECK (from_camera <> to_camera),
    CHECK (transit_s IS NOT NULL OR overlap IS NOT NULL)
);
CREATE INDEX camera_way_to ON camera_way (to_camera);
COMMENT ON TABLE camera_way IS 'What an owner says about the way between two cameras; it holds over what journeys taught.';
COMMENT ON COLUMN camera_way.from_camera IS 'The camera somebody leaves.';
COMMENT ON COLUMN camera_way.to_camera IS 'The camera somebody comes to.';
COMMENT ON COLUMN camera_way.transit_s IS 'Usual seconds from last to first sight; null: as journeys teach.';
COMMENT ON COLUMN camera_way.overlap IS 'True: both show one place; false: nobody is in both at once; null: as learned.';

-- Which persons the face engines of other makers have been told of.
CREATE TABLE engine_copy (
    engine text NOT NULL,
    person_id uuid NOT NULL,
    name text NOT NULL,
    pictures text NOT NULL DEFAULT '',
    problem text NOT NULL DEFAULT '',
    carried_at timestamptz NOT NULL,
    PRIMARY KEY (engine, person_id)
);
COMMENT ON TABLE engine_copy IS 'Persons as a face engine of another maker was told of them; it outlives them until they are removed there too.';
COMMENT ON COLUMN engine_copy.engine IS 'Which engine: its kind and address.';
COMMENT ON COLUMN engine_copy.person_id IS 'The person; kept when erased here, until the engine has forgotten it.';
COMMENT ON COLUMN engine_copy.name IS 'The name it goes by there.';
COMMENT ON COLUMN engine_copy.pictures IS 'Digest of the pictures it was told; empty: telling has begun and may have been cut short.';
COMMENT ON COLUMN engine_copy.problem IS 'What the engine could not use; empty: nothing.';
COMMENT ON COLUMN engine_copy.carried_at IS 'When it was last told.';
