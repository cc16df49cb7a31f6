-- Runs of an owner's own tests, asked for like every other replay.
ALTER TABLE replay_run ADD COLUMN case_ids uuid[];
COMMENT ON COLUMN replay_run.case_ids IS 'The own tests that it runs, its camera is empty; null: it is no run of tests.';
