-- The hub: everything services tell each other.
CREATE EXTENSION IF NOT EXISTS vector;

CREATE TABLE camera (
    camera_id text PRIMARY KEY CHECK (camera_id ~ '^[a-z0-9][a-z0-9_]{0,62}$'),
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    main_url text NOT NULL CHECK (main_url ~ '^(rtsp|rtsps|http|https|file)://' AND main_url !~ '://[^/]*@'),
    sub_url text CHECK (sub_url ~ '^(rtsp|rtsps|http|https|file)://' AND sub_url !~ '://[^/]*@'),
    username text,
    password_encrypted bytea,
    enabled boolean NOT NULL DEFAULT true,
    detect boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE camera IS 'One video source as its owner configured it.';
COMMENT ON COLUMN camera.camera_id IS 'Short name used in addresses, folders and entity ids.';
COMMENT ON COLUMN camera.name IS 'What its owner calls it.';
COMMENT ON COLUMN camera.main_url IS 'Address of the recorded stream, without user and password.';
COMMENT ON COLUMN camera.sub_url IS 'Address of the analysed stream; null: the main stream is analysed.';
COMMENT ON COLUMN camera.username IS 'User name for the camera; null: none.';
COMMENT ON COLUMN camera.password_encrypted IS 'Password, encrypted with the key file of the data folder (Fernet).';
COMMENT ON COLUMN camera.enabled IS 'False: neither recorded nor analysed.';
COMMENT ON COLUMN camera.detect IS 'False: recorded only.';
COMMENT ON COLUMN camera.created_at IS 'When it was added.';
COMMENT ON COLUMN camera.updated_at IS 'When its owner last changed it.';

CREATE TABLE camera_status (
    camera_id text PRIMARY KEY REFERENCES camera ON DELETE CASCADE,
    state text NOT NULL CHECK (state IN ('disabled', 'connecting', 'online', 'offline')),
    reason text NOT NULL DEFAULT '',
    since timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    last_packet_at timestamptz,
    metrics jsonb NOT NULL DEFAULT '{}'
);
COMMENT ON TABLE camera_status IS 'How each camera is doing, written by the ingest process that holds its lease.';
COMMENT ON COLUMN camera_status.camera_id IS 'The camera.';
COMMENT ON COLUMN camera_status.state IS 'disabled, connecting, online or offline.';
COMMENT ON COLUMN camera_status.reason IS 'Why it is not online and what to do about it; empty when online.';
COMMENT ON COLUMN camera_status.since IS 'When it entered this state.';
COMMENT ON COLUMN camera_status.updated_at IS 'When this row was last refreshed.';
COMMENT ON COLUMN camera_status.last_packet_at IS 'When the last packet came; null: never.';
COMMENT ON COLUMN camera_status.metrics IS 'Counters: frames decoded, skipped, lost, frames per second, bytes.';

CREATE TABLE zone (
    zone_id uuid PRIMARY KEY,
    camera_id text NOT NULL REFERENCES camera ON DELETE CASCADE,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    polygon jsonb NOT NULL CHECK (jsonb_array_length(polygon) >= 3),
    UNIQUE (camera_id, name)
);
COMMENT ON TABLE zone IS 'A named area of one camera''s picture.';
COMMENT ON COLUMN zone.zone_id IS 'Identifier.';
COMMENT ON COLUMN zone.camera_id IS 'The camera it belongs to.';
COMMENT ON COLUMN zone.name IS 'What its owner calls it.';
COMMENT ON COLUMN zone.polygon IS 'List of [x, y], 0 to 1 of picture width and height.';

CREATE TABLE chunk (
    chunk_id uuid PRIMARY KEY,
    camera_id text NOT NULL,
    started_at timestamptz NOT NULL,
    duration_s double precision NOT NULL CHECK (duration_s > 0),
    size_bytes bigint NOT NULL CHECK (size_bytes > 0),
    path text NOT NULL UNIQUE CHECK (path !~ '(^/|\.\.)'),
    codec text NOT NULL,
    width_px integer NOT NULL CHECK (width_px > 0),
    height_px integer NOT NULL CHECK (height_px > 0),
    indexed_at timestamptz NOT NULL DEFAULT now(),
    condemned_at timestamptz
);
CREATE INDEX chunk_by_camera_time ON chunk (camera_id, started_at);
CREATE INDEX chunk_by_time ON chunk (started_at) WHERE condemned_at IS NULL;
CREATE INDEX chunk_condemned ON chunk (condemned_at) WHERE condemned_at IS NOT NULL;
COMMENT ON TABLE chunk IS 'One recorded file. A row not condemned implies a readable file of that size (I1).';
COMMENT ON COLUMN chunk.chunk_id IS 'Identifier, also part of the file name.';
COMMENT ON COLUMN chunk.camera_id IS 'The camera; kept when the camera is removed.';
COMMENT ON COLUMN chunk.started_at IS 'Wall time of the first frame.';
COMMENT ON COLUMN chunk.duration_s IS 'Seconds of video.';
COMMENT ON COLUMN chunk.size_bytes IS 'Size of the file.';
COMMENT ON COLUMN chunk.path IS 'Path under the media root.';
COMMENT ON COLUMN chunk.codec IS 'Video codec, such as h264.';
COMMENT ON COLUMN chunk.width_px IS 'Picture width.';
COMMENT ON COLUMN chunk.height_px IS 'Picture height.';
COMMENT ON COLUMN chunk.indexed_at IS 'When this row was written.';
COMMENT ON COLUMN chunk.condemned_at IS 'When it was sentenced: the file goes next, then the row; null: kept.';

CREATE TABLE person (
    person_id uuid PRIMARY KEY,
    name text NOT NULL CHECK (length(btrim(name)) BETWEEN 1 AND 100),
    created_at timestamptz NOT NULL,
    picture_path text
);
CREATE UNIQUE INDEX person_by_name ON person (lower(btrim(name)));
COMMENT ON TABLE person IS 'An identity a human has named.';
COMMENT ON COLUMN person.person_id IS 'Identifier.';
COMMENT ON COLUMN person.name IS 'Name, unique whatever the case.';
COMMENT ON COLUMN person.created_at IS 'When the human named it.';
COMMENT ON COLUMN person.picture_path IS 'Portrait under the media root; null: none yet.';

CREATE TABLE replay_run (
    run_id uuid PRIMARY KEY,
    camera_id text NOT NULL,
    source text NOT NULL DEFAULT '',
    from_at timestamptz,
    to_at timestamptz,
    debug boolean NOT NULL DEFAULT false,
    state text NOT NULL CHECK (state IN ('requested', 'running', 'finished', 'failed')),
    reason text NOT NULL DEFAULT '',
    requested_at timestamptz NOT NULL,
    started_at timestamptz,
    finished_at timestamptz,
    report jsonb NOT NULL DEFAULT '{}'
);
COMMENT ON TABLE replay_run IS 'Recorded video fed once more through the current code, apart from live (I5).';
COMMENT ON COLUMN replay_run.run_id IS 'Identifier.';
COMMENT ON COLUMN replay_run.camera_id IS 'The camera whose recording is replayed, or the name given to a file.';
COMMENT ON COLUMN replay_run.source IS 'file:// address; empty: the chunks of the camera between from_at and to_at.';
COMMENT ON COLUMN replay_run.from_at IS 'Start of the stretch; null for a file.';
COMMENT ON COLUMN replay_run.to_at IS 'End of the stretch; null for a file.';
COMMENT ON COLUMN replay_run.debug IS 'True: every frame''s decisions are logged.';
COMMENT ON COLUMN replay_run.state IS 'requested, running, finished or failed.';
COMMENT ON COLUMN replay_run.reason IS 'Why it failed and what to do.';
COMMENT ON COLUMN replay_run.requested_at IS 'When it was asked for.';
COMMENT ON COLUMN replay_run.started_at IS 'When a process took it.';
COMMENT ON COLUMN replay_run.finished_at IS 'When it ended either way.';
COMMENT ON COLUMN replay_run.report IS 'Frames looked at, tracks found and where they differ from live.';

CREATE TABLE local_track (
    local_track_id uuid PRIMARY KEY,
    camera_id text NOT NULL,
    run_id uuid REFERENCES replay_run ON DELETE CASCADE,
    label text NOT NULL,
    open boolean NOT NULL,
    first_seen_at timestamptz NOT NULL,
    last_seen_at timestamptz NOT NULL CHECK (last_seen_at >= first_seen_at),
    score real NOT NULL CHECK (score BETWEEN 0 AND 1),
    observations integer NOT NULL CHECK (observations > 0),
    path jsonb NOT NULL DEFAULT '[]',
    zones text[] NOT NULL DEFAULT '{}',
    crop_path text,
    face_crop_path text,
    face halfvec,
    face_model text,
    face_quality real CHECK (face_quality BETWEEN 0 AND 1),
    appearance halfvec,
    appearance_model text,
    appearance_quality real CHECK (appearance_quality BETWEEN 0 AND 1),
    name_evidence jsonb,
    face_engine_ok boolean NOT NULL DEFAULT true,
    revision bigint NOT NULL DEFAULT 1,
    resolved_revision bigint NOT NULL DEFAULT 0,
    CHECK ((face IS NULL) = (face_model IS NULL)),
    CHECK ((appearance IS NULL) = (appearance_model IS NULL)),
    CHECK (resolved_revision <= revision)
);
CREATE INDEX local_track_unresolved ON local_track (last_seen_at)
    WHERE resolved_revision < revision AND run_id IS NULL;
CREATE INDEX local_track_by_camera_time ON local_track (camera_id, last_seen_at) WHERE run_id IS NULL;
CREATE INDEX local_track_by_time ON local_track (last_seen_at) WHERE run_id IS NULL;
CREATE INDEX local_track_by_start ON local_track (first_seen_at, local_track_id);
CREATE INDEX local_track_open ON local_track (camera_id) WHERE open AND run_id IS NULL;
CREATE INDEX local_track_by_run ON local_track (run_id) WHERE run_id IS NOT NULL;
COMMENT ON TABLE local_track IS 'One object followed through one camera, from first to last sight.';
COMMENT ON COLUMN local_track.local_track_id IS 'Identifier, made by ingest.';
COMMENT ON COLUMN local_track.camera_id IS 'The camera; kept when the camera is removed.';
COMMENT ON COLUMN local_track.run_id IS 'The replay run it belongs to; null: live.';
COMMENT ON COLUMN local_track.label IS 'What the detector calls it, such as person.';
COMMENT ON COLUMN local_track.open IS 'True while the object is still followed.';
COMMENT ON COLUMN local_track.first_seen_at IS 'First sight.';
COMMENT ON COLUMN local_track.last_seen_at IS 'Last sight so far.';
COMMENT ON COLUMN local_track.score IS 'Best detection score.';
COMMENT ON COLUMN local_track.observations IS 'Detections that support it.';
COMMENT ON COLUMN local_track.path IS 'Thinned box path: list of {at, box: [x1, y1, x2, y2], score}.';
COMMENT ON COLUMN local_track.zones IS 'Names of the zones entered, in order.';
COMMENT ON COLUMN local_track.crop_path IS 'Best picture of it under the media root.';
COMMENT ON COLUMN local_track.face_crop_path IS 'Best picture of its face under the media root.';
COMMENT ON COLUMN local_track.face IS 'Face embedding, unit length.';
COMMENT ON COLUMN local_track.face_model IS 'Model that made the face embedding.';
COMMENT ON COLUMN local_track.face_quality IS 'How much the face embedding can be trusted, 0 to 1.';
COMMENT ON COLUMN local_track.appearance IS 'Appearance embedding, unit length.';
COMMENT ON COLUMN local_track.appearance_model IS 'Model that made the appearance embedding.';
COMMENT ON COLUMN local_track.appearance_quality IS 'How much the appearance embedding can be trusted, 0 to 1.';
COMMENT ON COLUMN local_track.name_evidence IS 'Name given by an engine without embeddings: {engine, name, score}.';
COMMENT ON COLUMN local_track.face_engine_ok IS 'False: the face engine was cut off, so no face says nothing.';
COMMENT ON COLUMN local_track.revision IS 'Rises with every change by ingest or by a human.';
COMMENT ON COLUMN local_track.resolved_revision IS 'The revision the resolver last decided on.';

CREATE TABLE identity (
    identity_id uuid PRIMARY KEY,
    person_id uuid REFERENCES person ON DELETE SET NULL,
    first_seen_at timestamptz NOT NULL,
    last_seen_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    merged_into uuid REFERENCES identity ON DELETE CASCADE
);
CREATE INDEX identity_by_time ON identity (last_seen_at) WHERE merged_into IS NULL;
CREATE INDEX identity_merged ON identity (merged_into) WHERE merged_into IS NOT NULL;
CREATE INDEX identity_by_person ON identity (person_id) WHERE person_id IS NOT NULL;
COMMENT ON TABLE identity IS 'What the resolver believes is one individual: a set of LocalTracks across cameras.';
COMMENT ON COLUMN identity.identity_id IS 'Identifier.';
COMMENT ON COLUMN identity.person_id IS 'The person it is; null: unknown.';
COMMENT ON COLUMN identity.first_seen_at IS 'First sight of any of its tracks.';
COMMENT ON COLUMN identity.last_seen_at IS 'Last sight of any of its tracks.';
COMMENT ON COLUMN identity.created_at IS 'When the resolver made it.';
COMMENT ON COLUMN identity.merged_into IS 'The identity that took its tracks over; null: itself valid.';

CREATE TABLE assignment (
    local_track_id uuid PRIMARY KEY REFERENCES local_track ON DELETE CASCADE,
    identity_id uuid NOT NULL REFERENCES identity,
    probability real NOT NULL CHECK (probability BETWEEN 0 AND 1),
    margin real NOT NULL,
    evidence jsonb NOT NULL,
    decided_by text NOT NULL CHECK (decided_by IN ('resolver', 'human')),
    decided_at timestamptz NOT NULL,
    announced_person_id uuid REFERENCES person ON DELETE SET NULL,
    announced_unknown boolean NOT NULL DEFAULT false
);
CREATE INDEX assignment_by_identity ON assignment (identity_id);
CREATE INDEX assignment_by_announced ON assignment (announced_person_id) WHERE announced_person_id IS NOT NULL;
COMMENT ON TABLE assignment IS 'Which identity each LocalTrack belongs to, and why.';
COMMENT ON COLUMN assignment.local_track_id IS 'The track.';
COMMENT ON COLUMN assignment.identity_id IS 'The identity it is believed to be.';
COMMENT ON COLUMN assignment.probability IS 'Probability of that belief.';
COMMENT ON COLUMN assignment.margin IS 'Log-odds between it and the runner-up.';
COMMENT ON COLUMN assignment.evidence IS 'Cues, their log-likelihood ratios, runner-up: see docs/design/identity.md.';
COMMENT ON COLUMN assignment.decided_by IS 'resolver, or human, whose word is never overruled (I6).';
COMMENT ON COLUMN assignment.decided_at IS 'When.';
COMMENT ON COLUMN assignment.announced_person_id IS 'The person last announced for this track by an event.';
COMMENT ON COLUMN assignment.announced_unknown IS 'True once person_unknown was announced for this track.';

CREATE TABLE exemplar (
    exemplar_id uuid PRIMARY KEY,
    person_id uuid REFERENCES person ON DELETE CASCADE,
    identity_id uuid REFERENCES identity ON DELETE CASCADE,
    local_track_id uuid REFERENCES local_track ON DELETE SET NULL,
    kind text NOT NULL CHECK (kind IN ('face', 'appearance')),
    model text NOT NULL,
    embedding halfvec NOT NULL,
    quality real NOT NULL CHECK (quality BETWEEN 0 AND 1),
    source text NOT NULL CHECK (source IN ('enrolled', 'confirmed', 'observed')),
    picture_path text,
    created_at timestamptz NOT NULL,
    CHECK (person_id IS NOT NULL OR identity_id IS NOT NULL)
);
CREATE INDEX exemplar_by_person ON exemplar (person_id, kind, model);
CREATE INDEX exemplar_by_identity ON exemplar (identity_id, kind, model);
CREATE INDEX exemplar_by_track ON exemplar (local_track_id) WHERE local_track_id IS NOT NULL;
CREATE INDEX exemplar_unknown_faces ON exemplar (model, created_at) WHERE kind = 'face' AND person_id IS NULL;
COMMENT ON TABLE exemplar IS 'Gallery: the embeddings that stand for a person (lasting) or an identity (this visit).';
COMMENT ON COLUMN exemplar.exemplar_id IS 'Identifier.';
COMMENT ON COLUMN exemplar.person_id IS 'The person it stands for; null: an unknown identity''s.';
COMMENT ON COLUMN exemplar.identity_id IS 'The identity it was seen on; null: enrolled from a picture.';
COMMENT ON COLUMN exemplar.local_track_id IS 'The track it was taken from; null: enrolled, or the track is gone.';
COMMENT ON COLUMN exemplar.kind IS 'face or appearance.';
COMMENT ON COLUMN exemplar.model IS 'Model that made it; only vectors of one model are compared.';
COMMENT ON COLUMN exemplar.embedding IS 'The vector, unit length.';
COMMENT ON COLUMN exemplar.quality IS 'How much it can be trusted, 0 to 1.';
COMMENT ON COLUMN exemplar.source IS 'enrolled by a human, confirmed by the resolver, or observed on an unknown.';
COMMENT ON COLUMN exemplar.picture_path IS 'The picture it came from under the media root.';
COMMENT ON COLUMN exemplar.created_at IS 'When it was taken in.';

CREATE TABLE event_counter (
    singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    last_number bigint NOT NULL CHECK (last_number >= 0)
);
INSERT INTO event_counter (last_number) VALUES (0);
COMMENT ON TABLE event_counter IS 'The last event number; its row lock makes numbers gap-free in order of commit (I3).';
COMMENT ON COLUMN event_counter.singleton IS 'Keeps the table at one row.';
COMMENT ON COLUMN event_counter.last_number IS 'The highest number given out.';

CREATE TABLE event (
    number bigint PRIMARY KEY CHECK (number > 0),
    event_id uuid NOT NULL UNIQUE,
    type text NOT NULL CHECK (type IN ('person_detected', 'person_confirmed', 'person_unknown', 'person_corrected',
        'zone_entered', 'visit_ended', 'camera_offline', 'camera_online', 'health_changed', 'survival_mode_changed',
        'replay_finished')),
    occurred_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    camera_id text,
    local_track_id uuid,
    identity_id uuid,
    person_id uuid,
    person_name text,
    probability real CHECK (probability BETWEEN 0 AND 1),
    zones text[] NOT NULL DEFAULT '{}',
    data jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX event_by_time ON event (occurred_at);
CREATE INDEX event_by_camera ON event (camera_id, number);
CREATE INDEX event_by_person ON event (person_id, number);
COMMENT ON TABLE event IS 'Append-only, numbered facts that others may act on.';
COMMENT ON COLUMN event.number IS 'Gap-free, rising in order of commit.';
COMMENT ON COLUMN event.event_id IS 'Identifier, made by the writer, so that writing twice is noticed.';
COMMENT ON COLUMN event.type IS 'What kind of fact.';
COMMENT ON COLUMN event.occurred_at IS 'When it happened in front of the camera.';
COMMENT ON COLUMN event.recorded_at IS 'When the hub took it in.';
COMMENT ON COLUMN event.camera_id IS 'The camera concerned.';
COMMENT ON COLUMN event.local_track_id IS 'The track concerned.';
COMMENT ON COLUMN event.identity_id IS 'The identity concerned.';
COMMENT ON COLUMN event.person_id IS 'The person concerned.';
COMMENT ON COLUMN event.person_name IS 'The person''s name at that time.';
COMMENT ON COLUMN event.probability IS 'Probability of the identity.';
COMMENT ON COLUMN event.zones IS 'Zones the track had entered.';
COMMENT ON COLUMN event.data IS 'Evidence summary and what the type adds.';

CREATE TABLE consumer_position (
    consumer text PRIMARY KEY,
    last_number bigint NOT NULL CHECK (last_number >= 0),
    updated_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE consumer_position IS 'How far each reader of events has come.';
COMMENT ON COLUMN consumer_position.consumer IS 'Name of the reader, such as automation.';
COMMENT ON COLUMN consumer_position.last_number IS 'The last event it has dealt with.';
COMMENT ON COLUMN consumer_position.updated_at IS 'When it moved.';

CREATE TABLE rule (
    rule_id uuid PRIMARY KEY,
    name text NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 100),
    enabled boolean NOT NULL DEFAULT true,
    event_type text NOT NULL,
    conditions jsonb NOT NULL DEFAULT '{}',
    mqtt_topic text NOT NULL CHECK (length(mqtt_topic) BETWEEN 1 AND 1000 AND mqtt_topic !~ '[#+]'),
    payload jsonb,
    created_at timestamptz NOT NULL
);
COMMENT ON TABLE rule IS 'What to publish when an event fits.';
COMMENT ON COLUMN rule.rule_id IS 'Identifier.';
COMMENT ON COLUMN rule.name IS 'What its owner calls it.';
COMMENT ON COLUMN rule.enabled IS 'False: rests.';
COMMENT ON COLUMN rule.event_type IS 'The event type it waits for.';
COMMENT ON COLUMN rule.conditions IS 'All must hold: {camera_id, zone, person, min_probability}.';
COMMENT ON COLUMN rule.mqtt_topic IS 'Topic to publish to.';
COMMENT ON COLUMN rule.payload IS 'JSON to publish; null: the event itself.';
COMMENT ON COLUMN rule.created_at IS 'When it was made.';

CREATE TABLE service_health (
    service text NOT NULL,
    instance text NOT NULL,
    status text NOT NULL CHECK (status IN ('ok', 'degraded', 'failing', 'gone')),
    reason text NOT NULL DEFAULT '',
    started_at timestamptz NOT NULL,
    heartbeat_at timestamptz NOT NULL,
    detail jsonb NOT NULL DEFAULT '{}',
    PRIMARY KEY (service, instance)
);
COMMENT ON TABLE service_health IS 'The last heartbeat of every process.';
COMMENT ON COLUMN service_health.service IS 'ingest, resolver, automation, face, janitor or web.';
COMMENT ON COLUMN service_health.instance IS 'Host and process, unique per start.';
COMMENT ON COLUMN service_health.status IS 'ok, degraded, failing, or gone when its heartbeat stopped (set by janitor).';
COMMENT ON COLUMN service_health.reason IS 'Why not ok, for an owner.';
COMMENT ON COLUMN service_health.started_at IS 'When it started.';
COMMENT ON COLUMN service_health.heartbeat_at IS 'Its last sign of life.';
COMMENT ON COLUMN service_health.detail IS 'Figures and models in use.';

CREATE TABLE health_log (
    health_log_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL,
    service text NOT NULL,
    subject text NOT NULL,
    level text NOT NULL CHECK (level IN ('info', 'warning', 'error')),
    message text NOT NULL,
    detail jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX health_log_by_time ON health_log (at);
COMMENT ON TABLE health_log IS 'Things that went wrong or right again, for an owner to read.';
COMMENT ON COLUMN health_log.health_log_id IS 'Identifier.';
COMMENT ON COLUMN health_log.at IS 'When.';
COMMENT ON COLUMN health_log.service IS 'Who says so.';
COMMENT ON COLUMN health_log.subject IS 'What about, such as camera:front or face_engine.';
COMMENT ON COLUMN health_log.level IS 'info, warning or error.';
COMMENT ON COLUMN health_log.message IS 'A sentence for an owner.';
COMMENT ON COLUMN health_log.detail IS 'Figures.';

CREATE TABLE lease (
    name text PRIMARY KEY,
    holder text NOT NULL,
    fence bigint NOT NULL CHECK (fence > 0),
    expires_at timestamptz NOT NULL
);
COMMENT ON TABLE lease IS 'Claims that expire, so that one process at a time serves a camera.';
COMMENT ON COLUMN lease.name IS 'What is claimed, such as camera:front.';
COMMENT ON COLUMN lease.holder IS 'The instance that claims it.';
COMMENT ON COLUMN lease.fence IS 'Rises with each new holder; a stale one is refused.';
COMMENT ON COLUMN lease.expires_at IS 'By the database''s clock.';

CREATE TABLE setting (
    key text PRIMARY KEY,
    value jsonb NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE setting IS 'Facts shared by all processes, such as this installation''s id.';
COMMENT ON COLUMN setting.key IS 'Name.';
COMMENT ON COLUMN setting.value IS 'Value.';
COMMENT ON COLUMN setting.updated_at IS 'When it was set.';

CREATE TABLE token (
    token_id uuid PRIMARY KEY,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    token_sha256 bytea NOT NULL UNIQUE CHECK (length(token_sha256) = 32),
    scopes text[] NOT NULL CHECK (scopes <@ ARRAY['read', 'write', 'admin']),
    created_at timestamptz NOT NULL,
    last_used_at timestamptz,
    revoked_at timestamptz
);
COMMENT ON TABLE token IS 'Bearer tokens of the API; only their SHA-256 is kept (they are 256 random bits).';
COMMENT ON COLUMN token.token_id IS 'Identifier.';
COMMENT ON COLUMN token.name IS 'Whom it was given to.';
COMMENT ON COLUMN token.token_sha256 IS 'SHA-256 of the token.';
COMMENT ON COLUMN token.scopes IS 'read, write, admin.';
COMMENT ON COLUMN token.created_at IS 'When it was made.';
COMMENT ON COLUMN token.last_used_at IS 'When it was last shown (kept to the minute).';
COMMENT ON COLUMN token.revoked_at IS 'When it was revoked; null: valid.';
