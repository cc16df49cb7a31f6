-- name: request!
-- Ask for a run.
INSERT INTO replay_run (run_id, camera_id, source, from_at, to_at, debug, state, requested_at)
VALUES (:run_id, :camera_id, :source, :from_at, :to_at, :debug, 'requested', :at);

-- name: claim^
-- Take the oldest run that waits; one whose process must have died meanwhile has failed.
WITH overdue AS (
    UPDATE replay_run SET state = 'failed', finished_at = :at,
        reason = 'The process that replayed it ended without a word: ask for it again.'
    WHERE state = 'running' AND started_at < CAST(:at AS timestamptz) - CAST(:limit_s AS float8) * interval '1 second'
)
UPDATE replay_run SET state = 'running', started_at = :at
WHERE run_id = (
    SELECT run_id FROM replay_run WHERE state = 'requested' ORDER BY requested_at LIMIT 1 FOR UPDATE SKIP LOCKED
)
RETURNING run_id, camera_id, source, from_at, to_at, debug, state, reason, requested_at, started_at, finished_at,
    report::text AS report;

-- name: finish!
-- It ended well.
UPDATE replay_run SET state = 'finished', finished_at = :at, report = CAST(:report AS text)::jsonb
WHERE run_id = :run_id;

-- name: fail!
-- It ended badly; a finished run stays finished.
UPDATE replay_run SET state = 'failed', finished_at = :at, reason = :reason
WHERE run_id = :run_id AND state <> 'finished';

-- name: get_run^
-- One run.
SELECT run_id, camera_id, source, from_at, to_at, debug, state, reason, requested_at, started_at, finished_at,
    report::text AS report
FROM replay_run WHERE run_id = :run_id;

-- name: list_runs
-- Runs, newest first.
SELECT run_id, camera_id, source, from_at, to_at, debug, state, reason, requested_at, started_at, finished_at,
    report::text AS report
FROM replay_run ORDER BY requested_at DESC LIMIT :most;

-- name: notify!
-- Tell whoever waits.
SELECT pg_notify(:channel, :payload);
