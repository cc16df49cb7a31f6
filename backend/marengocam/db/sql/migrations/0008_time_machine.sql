-- The Time Machine: runs that can be paced, paused, cancelled and resumed, with changed settings; an owner's own test cases.
ALTER TABLE replay_run
    ADD COLUMN overrides jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(overrides) = 'object'),
    ADD COLUMN gallery_at timestamptz,
    ADD COLUMN pace text NOT NULL DEFAULT 'fast' CHECK (pace IN ('fast', 'real_time', 'step')),
    ADD COLUMN why_at timestamptz,
    ADD COLUMN wish text NOT NULL DEFAULT 'run' CHECK (wish IN ('run', 'pause', 'cancel')),
    ADD COLUMN steps integer NOT NULL DEFAULT 0 CHECK (steps >= 0),
    ADD COLUMN attempts integer NOT NULL DEFAULT 0,
    ADD COLUMN heartbeat_at timestamptz,
    ADD COLUMN progress jsonb NOT NULL DEFAULT '{}',
    DROP CONSTRAINT replay_run_state_check,
    ADD CONSTRAINT replay_run_state_check CHECK (state IN ('requested', 'running', 'finished', 'failed', 'cancelled'));
COMMENT ON COLUMN replay_run.overrides IS 'Settings that this run changes, and the models it takes; what is missing is as live.';
COMMENT ON COLUMN replay_run.gallery_at IS 'Persons and their faces count as they were at this moment; null: when it was asked for.';
COMMENT ON COLUMN replay_run.pace IS 'fast: as fast as the machine goes; real_time; step: a frame each time somebody says so.';
COMMENT ON COLUMN replay_run.why_at IS 'The moment that is to be explained; null: an ordinary run.';
COMMENT ON COLUMN replay_run.wish IS 'What its owner wants of it now: run, pause or cancel.';
COMMENT ON COLUMN replay_run.steps IS 'How many frames it may have looked at, in step pace.';
COMMENT ON COLUMN replay_run.attempts IS 'How often a process took it: more than once after a crash.';
COMMENT ON COLUMN replay_run.heartbeat_at IS 'Last sign of life of the process that carries it out.';
COMMENT ON COLUMN replay_run.progress IS 'How far it is: units and seconds done, the moment it is at, what it waits for.';

CREATE TABLE replay_case (
    case_id uuid PRIMARY KEY,
    name text NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 100),
    camera_id text NOT NULL,
    from_at timestamptz NOT NULL,
    to_at timestamptz NOT NULL CHECK (to_at > from_at),
    expected text NOT NULL CHECK (length(expected) BETWEEN 1 AND 200),
    created_at timestamptz NOT NULL,
    passed boolean,
    seen text NOT NULL DEFAULT '',
    ran_at timestamptz
);
COMMENT ON TABLE replay_case IS 'A moment with the outcome its owner expects: replayed before a model or a setting is changed.';
COMMENT ON COLUMN replay_case.case_id IS 'Identifier; its recording is kept in the media folder under it.';
COMMENT ON COLUMN replay_case.name IS 'What its owner calls it.';
COMMENT ON COLUMN replay_case.camera_id IS 'The camera.';
COMMENT ON COLUMN replay_case.from_at IS 'Start of the stretch that is looked at.';
COMMENT ON COLUMN replay_case.to_at IS 'End of that stretch.';
COMMENT ON COLUMN replay_case.expected IS 'What should be seen: nothing, unknown, a label, person:Name; zone:Name may follow.';
COMMENT ON COLUMN replay_case.created_at IS 'When it was made.';
COMMENT ON COLUMN replay_case.passed IS 'Whether the last run saw what is expected; null: never run.';
COMMENT ON COLUMN replay_case.seen IS 'What the last run saw.';
COMMENT ON COLUMN replay_case.ran_at IS 'When it was last run.';
