-- Rules with several events, conditions, limits and actions; what became of them; who is waited for.
ALTER TABLE rule ADD COLUMN event_types text[];
ALTER TABLE rule ADD COLUMN late boolean NOT NULL DEFAULT false;
ALTER TABLE rule ADD COLUMN rate_limit jsonb;
ALTER TABLE rule ADD COLUMN actions jsonb;
UPDATE rule SET
    event_types = ARRAY[event_type],
    conditions = (SELECT coalesce(jsonb_object_agg(
            CASE key WHEN 'camera_id' THEN 'cameras' WHEN 'zone' THEN 'zones' WHEN 'person' THEN 'persons' ELSE key END,
            CASE WHEN key IN ('camera_id', 'zone', 'person') THEN jsonb_build_array(value) ELSE value END), '{}')
        FROM jsonb_each(conditions)),
    actions = jsonb_build_array(jsonb_build_object('mqtt', jsonb_strip_nulls(
        jsonb_build_object('topic', mqtt_topic, 'payload', payload))));
ALTER TABLE rule ALTER COLUMN event_types SET NOT NULL;
ALTER TABLE rule ALTER COLUMN actions SET NOT NULL;
ALTER TABLE rule ADD CHECK (cardinality(event_types) >= 1);
ALTER TABLE rule ADD CHECK (jsonb_array_length(actions) >= 1);
ALTER TABLE rule DROP COLUMN event_type, DROP COLUMN mqtt_topic, DROP COLUMN payload;
COMMENT ON TABLE rule IS 'What to do when an event fits.';
COMMENT ON COLUMN rule.event_types IS 'The event types it waits for.';
COMMENT ON COLUMN rule.conditions IS 'All must hold; see docs/guide/rules.md.';
COMMENT ON COLUMN rule.late IS 'True: it also acts on events that are told long after they happened.';
COMMENT ON COLUMN rule.rate_limit IS '{at_most, per_s, by}: how often it may fire; null: always.';
COMMENT ON COLUMN rule.actions IS 'List of {kind: values}; see docs/guide/rules.md.';

CREATE TABLE rule_firing (
    firing_id uuid PRIMARY KEY,
    rule_id uuid NOT NULL,
    rule_name text NOT NULL,
    event_number bigint NOT NULL,
    event_type text NOT NULL,
    occurred_at timestamptz NOT NULL,
    fired_at timestamptz NOT NULL,
    camera_id text,
    person_id uuid,
    person_name text,
    UNIQUE (rule_id, event_number)
);
CREATE INDEX rule_firing_by_time ON rule_firing (fired_at);
CREATE INDEX rule_firing_by_occurrence ON rule_firing (rule_id, occurred_at);
COMMENT ON TABLE rule_firing IS 'Every time a rule fired; once for each event, whatever restarts in between.';
COMMENT ON COLUMN rule_firing.firing_id IS 'Identifier.';
COMMENT ON COLUMN rule_firing.rule_id IS 'The rule; kept when it is removed.';
COMMENT ON COLUMN rule_firing.rule_name IS 'Its name at that time.';
COMMENT ON COLUMN rule_firing.event_number IS 'The event that fired it.';
COMMENT ON COLUMN rule_firing.event_type IS 'That event''s type.';
COMMENT ON COLUMN rule_firing.occurred_at IS 'When that happened.';
COMMENT ON COLUMN rule_firing.fired_at IS 'When the rule fired.';
COMMENT ON COLUMN rule_firing.camera_id IS 'That event''s camera.';
COMMENT ON COLUMN rule_firing.person_id IS 'That event''s person.';
COMMENT ON COLUMN rule_firing.person_name IS 'That person''s name at that time.';

CREATE TABLE rule_outcome (
    firing_id uuid NOT NULL REFERENCES rule_firing ON DELETE CASCADE,
    place integer NOT NULL CHECK (place >= 0),
    action text NOT NULL,
    target text NOT NULL DEFAULT '',
    state text NOT NULL CHECK (state IN ('done', 'failed')),
    reason text NOT NULL DEFAULT '',
    ended_at timestamptz NOT NULL,
    PRIMARY KEY (firing_id, place)
);
COMMENT ON TABLE rule_outcome IS 'What became of each action of a firing; without a row it is under way, or was cut off by a kill.';
COMMENT ON COLUMN rule_outcome.firing_id IS 'The firing.';
COMMENT ON COLUMN rule_outcome.place IS 'Which of the rule''s actions, from 0.';
COMMENT ON COLUMN rule_outcome.action IS 'mqtt, webhook, home_assistant, keep_clip, record or privacy.';
COMMENT ON COLUMN rule_outcome.target IS 'Topic, host, name or cameras; never a whole webhook address, which may be a key.';
COMMENT ON COLUMN rule_outcome.state IS 'done or failed.';
COMMENT ON COLUMN rule_outcome.reason IS 'Why it failed, for an owner.';
COMMENT ON COLUMN rule_outcome.ended_at IS 'When that was known.';

CREATE TABLE rule_waiting (
    rule_id uuid NOT NULL REFERENCES rule ON DELETE CASCADE,
    event_number bigint NOT NULL,
    again_at timestamptz NOT NULL,
    PRIMARY KEY (rule_id, event_number)
);
CREATE INDEX rule_waiting_by_time ON rule_waiting (again_at);
COMMENT ON TABLE rule_waiting IS 'Events that will fire a rule if what they are about stays for long enough.';
COMMENT ON COLUMN rule_waiting.rule_id IS 'The rule.';
COMMENT ON COLUMN rule_waiting.event_number IS 'The event.';
COMMENT ON COLUMN rule_waiting.again_at IS 'When it is looked at again.';

CREATE TABLE record_wish (
    camera_id text PRIMARY KEY,
    until_at timestamptz NOT NULL
);
COMMENT ON TABLE record_wish IS 'Cameras that a rule has recorded whatever is seen, unless their recording is off.';
COMMENT ON COLUMN record_wish.camera_id IS 'The camera.';
COMMENT ON COLUMN record_wish.until_at IS 'Until when.';

-- What the process that talks to the outside may know of cameras and tracks: no passwords, no faces, no looks.
CREATE VIEW camera_name AS
    SELECT camera_id, name, enabled, recording ->> 'mode' AS recording_mode FROM camera;
COMMENT ON VIEW camera_name IS 'Cameras without addresses and passwords.';

CREATE VIEW sight AS
    SELECT t.local_track_id, t.camera_id, t.label, t.first_seen_at, t.last_seen_at, t.open, t.path, i.person_id,
        p.name AS person_name, a.probability
    FROM local_track t
    LEFT JOIN assignment a USING (local_track_id)
    LEFT JOIN identity i USING (identity_id)
    LEFT JOIN person p USING (person_id)
    WHERE t.run_id IS NULL;
COMMENT ON VIEW sight IS 'Live tracks and whose they are, without pictures and embeddings.';

-- One more type beside those that are allowed already, whichever steps have added some.
DO $$
DECLARE allowed text;
BEGIN
    SELECT string_agg(DISTINCT quote_literal(word[1]), ', ') INTO allowed
    FROM pg_constraint c, regexp_matches(pg_get_constraintdef(c.oid), '''([a-z_]+)''::text', 'g') AS word
    WHERE c.conname = 'event_type_check' AND c.conrelid = 'event'::regclass;
    ALTER TABLE event DROP CONSTRAINT event_type_check;
    EXECUTE format('ALTER TABLE event ADD CONSTRAINT event_type_check CHECK (type IN (%s, %L))', allowed, 'rule_fired');
END $$;
