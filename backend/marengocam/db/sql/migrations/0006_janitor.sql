-- Retention by what happened, a second folder, and what a home's history of health needs.
ALTER TABLE chunk
    ADD COLUMN class text CHECK (class IN ('continuous', 'motion', 'person', 'unknown', 'named', 'favourite')),
    ADD COLUMN review_at timestamptz,
    ADD COLUMN other_path text CHECK (other_path !~ '(^/|\.\.)');
CREATE INDEX chunk_unclassed ON chunk (started_at) WHERE class IS NULL AND condemned_at IS NULL;
CREATE INDEX chunk_never_reviewed ON chunk (started_at) WHERE review_at IS NULL AND condemned_at IS NULL;
CREATE INDEX chunk_by_review ON chunk (review_at) WHERE review_at IS NOT NULL AND condemned_at IS NULL;
CREATE INDEX chunk_on_the_move ON chunk (started_at) WHERE other_path IS NOT NULL;
COMMENT ON COLUMN chunk.class IS 'What happened during it, the most telling of all: continuous, motion, person, unknown, named or favourite; null: not looked at yet.';
COMMENT ON COLUMN chunk.review_at IS 'When retention looks at it again, since something in it keeps it; null: when it is old enough.';
COMMENT ON COLUMN chunk.other_path IS 'A second place where its file may lie: a copy under way to the archive, or what a move left behind; null: none.';

CREATE TABLE retention (
    camera_id text NOT NULL CHECK (camera_id = '*' OR camera_id ~ '^[a-z0-9][a-z0-9_]{0,62}$'),
    class text NOT NULL CHECK (class IN ('continuous', 'motion', 'person', 'unknown', 'named', 'favourite', 'all')),
    keep_days double precision CHECK (keep_days > 0),
    max_bytes bigint CHECK (max_bytes > 0),
    PRIMARY KEY (camera_id, class),
    CHECK (keep_days IS NOT NULL OR max_bytes IS NOT NULL),
    CHECK (class <> 'all' OR keep_days IS NULL)
);
COMMENT ON TABLE retention IS 'How long and how much an owner keeps, where that differs from the settings.';
COMMENT ON COLUMN retention.camera_id IS 'The camera; *: every camera without a row of its own.';
COMMENT ON COLUMN retention.class IS 'What happened during a recording; all: every class together, for a limit by size.';
COMMENT ON COLUMN retention.keep_days IS 'Age at which it goes; null: as the next more general row says.';
COMMENT ON COLUMN retention.max_bytes IS 'Size above which the oldest of this camera and class go; null: no limit.';

CREATE TABLE favourite (
    favourite_id uuid PRIMARY KEY,
    camera_id text,
    from_at timestamptz NOT NULL,
    to_at timestamptz NOT NULL CHECK (to_at > from_at),
    label text NOT NULL,
    removed_at timestamptz
);
CREATE INDEX favourite_by_time ON favourite (from_at) WHERE removed_at IS NULL;
COMMENT ON TABLE favourite IS 'Stretches of time around moments that an owner marked; their recordings go last.';
COMMENT ON COLUMN favourite.favourite_id IS 'Identifier, that of the event moment_marked.';
COMMENT ON COLUMN favourite.camera_id IS 'The camera; null: all of them.';
COMMENT ON COLUMN favourite.from_at IS 'Start of what is kept.';
COMMENT ON COLUMN favourite.to_at IS 'End of what is kept.';
COMMENT ON COLUMN favourite.label IS 'What the owner called the moment.';
COMMENT ON COLUMN favourite.removed_at IS 'When the owner let go of it; null: it holds.';

CREATE TABLE recording_pause (
    camera_id text NOT NULL,
    from_at timestamptz NOT NULL,
    to_at timestamptz,
    PRIMARY KEY (camera_id, from_at)
);
COMMENT ON TABLE recording_pause IS 'When a camera was not meant to be recorded always: switched off, privacy, another mode.';
COMMENT ON COLUMN recording_pause.camera_id IS 'The camera.';
COMMENT ON COLUMN recording_pause.from_at IS 'Since when, as the janitor saw it.';
COMMENT ON COLUMN recording_pause.to_at IS 'Until when; null: still.';

CREATE TABLE recording_day (
    camera_id text NOT NULL,
    day date NOT NULL,
    lost_s double precision NOT NULL CHECK (lost_s >= 0),
    gaps integer NOT NULL CHECK (gaps >= 0),
    longest_s double precision NOT NULL CHECK (longest_s >= 0),
    PRIMARY KEY (camera_id, day)
);
COMMENT ON TABLE recording_day IS 'What of each day (UTC) a camera that is recorded always was not, counted when the day was over.';
COMMENT ON COLUMN recording_day.camera_id IS 'The camera.';
COMMENT ON COLUMN recording_day.day IS 'The day, in UTC.';
COMMENT ON COLUMN recording_day.lost_s IS 'Seconds without a recording.';
COMMENT ON COLUMN recording_day.gaps IS 'How many gaps.';
COMMENT ON COLUMN recording_day.longest_s IS 'The longest of them, in seconds.';

CREATE TABLE health_sample (
    at timestamptz PRIMARY KEY,
    disk_used_share real CHECK (disk_used_share BETWEEN 0 AND 1),
    ingest_lag_s real,
    survival_level smallint NOT NULL,
    cameras smallint NOT NULL,
    cameras_online smallint NOT NULL,
    recorded_bytes bigint NOT NULL,
    database_bytes bigint NOT NULL
);
COMMENT ON TABLE health_sample IS 'How the whole was doing, every few minutes.';
COMMENT ON COLUMN health_sample.at IS 'When.';
COMMENT ON COLUMN health_sample.disk_used_share IS 'How full the disk of the recordings was, 0 to 1; null: it could not be seen.';
COMMENT ON COLUMN health_sample.ingest_lag_s IS 'How far the camera that was most behind was behind; null: no camera was online.';
COMMENT ON COLUMN health_sample.survival_level IS 'Survival mode: 0 off, else how many steps were given up.';
COMMENT ON COLUMN health_sample.cameras IS 'Cameras that are switched on.';
COMMENT ON COLUMN health_sample.cameras_online IS 'How many of them were online.';
COMMENT ON COLUMN health_sample.recorded_bytes IS 'What the kept recordings took.';
COMMENT ON COLUMN health_sample.database_bytes IS 'What the database took.';

-- Tables that grow and are pruned all the time: vacuumed after 5 % of change, not after 20 %.
ALTER TABLE chunk SET (autovacuum_vacuum_scale_factor = 0.05);
ALTER TABLE event SET (autovacuum_vacuum_scale_factor = 0.05);
ALTER TABLE local_track SET (autovacuum_vacuum_scale_factor = 0.05);
ALTER TABLE assignment SET (autovacuum_vacuum_scale_factor = 0.05);
ALTER TABLE health_log SET (autovacuum_vacuum_scale_factor = 0.05);
