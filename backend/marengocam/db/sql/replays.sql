-- name: request!
-- Ask for a run.
INSERT INTO replay_run (run_id, camera_id, source, from_at, to_at, debug, overrides, gallery_at, pace, why_at, case_ids,
    state, requested_at)
VALUES (:run_id, :camera_id, :source, :from_at, :to_at, :debug, CAST(:overrides AS text)::jsonb, :gallery_at, :pace,
    :why_at, CAST(:case_ids AS uuid[]), 'requested', :at);

-- name: give_up
-- End what nobody will carry out: a cancelled run whose process died, or one that killed its process too often. Returns
-- what ended, and how.
UPDATE replay_run SET finished_at = :at,
    state = CASE WHEN wish = 'cancel' THEN 'cancelled' ELSE 'failed' END,
    reason = CASE WHEN wish = 'cancel' THEN '' ELSE
        'The process that replayed it ended without a word, again and again: see its log, or ask for less.' END
WHERE run_id IN (
    SELECT run_id FROM replay_run
    WHERE (wish = 'cancel' OR attempts >= :most_attempts) AND (state = 'requested' OR (state = 'running'
        AND coalesce(heartbeat_at, started_at) < CAST(:at AS timestamptz) - make_interval(secs => :silent_s)))
    FOR UPDATE SKIP LOCKED
)
RETURNING run_id, camera_id, state, reason;

-- name: claim^
-- Take the oldest run that waits, or one whose process died: what it has finished stays finished.
UPDATE replay_run SET state = 'running', started_at = coalesce(started_at, :at), heartbeat_at = :at,
    attempts = attempts + 1
WHERE run_id = (
    SELECT run_id FROM replay_run
    WHERE wish <> 'cancel' AND attempts < :most_attempts AND (state = 'requested' OR (state = 'running'
        AND coalesce(heartbeat_at, started_at) < CAST(:at AS timestamptz) - make_interval(secs => :silent_s)))
    ORDER BY requested_at LIMIT 1 FOR UPDATE SKIP LOCKED
)
RETURNING run_id, camera_id, source, from_at, to_at, debug, state, reason, requested_at, started_at, finished_at,
    overrides::text AS overrides, gallery_at, pace, why_at, case_ids, wish, steps, attempts, heartbeat_at,
    progress::text AS progress, report::text AS report;

-- name: give_back!
-- A run whose process was ended together with its service waits for the next one; its finished units stay.
UPDATE replay_run SET state = 'requested', attempts = greatest(0, attempts - :refund)
WHERE run_id = :run_id AND state = 'running';

-- name: note_progress^
-- A sign of life: how far it is; returns what its owner wants of it meanwhile.
UPDATE replay_run SET progress = CAST(:progress AS text)::jsonb, heartbeat_at = :at
WHERE run_id = :run_id AND state = 'running'
RETURNING wish, pace, steps;

-- name: control$
-- What its owner wants of a run; null leaves a thing as it is, steps are added.
WITH changed AS (
    UPDATE replay_run SET wish = coalesce(CAST(:wish AS text), wish), pace = coalesce(CAST(:pace AS text), pace),
        steps = steps + :steps
    WHERE run_id = :run_id AND state IN ('requested', 'running')
    RETURNING 1
) SELECT count(*) FROM changed;

-- name: cancel_waiting^
-- A cancelled run that nobody carries out ends at once; returns what is told of it, nothing when a process has it.
UPDATE replay_run SET state = 'cancelled', finished_at = :at, reason = ''
WHERE run_id = :run_id AND state = 'requested'
RETURNING run_id, camera_id, state, reason;

-- name: finish^
-- It ended well; returns what is told of it, nothing when it had ended before.
UPDATE replay_run SET state = 'finished', finished_at = :at, reason = '', report = CAST(:report AS text)::jsonb
WHERE run_id = :run_id AND state IN ('requested', 'running')
RETURNING run_id, camera_id, state, reason;

-- name: fail^
-- It ended badly, or was cancelled; returns what is told of it, nothing when it had ended before.
UPDATE replay_run SET state = :state, finished_at = :at, reason = :reason
WHERE run_id = :run_id AND state IN ('requested', 'running')
RETURNING run_id, camera_id, state, reason;

-- name: remove$
-- A run goes with its tracks; one that runs is cancelled first.
WITH removed AS (
    DELETE FROM replay_run WHERE run_id = :run_id AND state <> 'running' RETURNING 1
) SELECT count(*) FROM removed;

-- name: prune_runs
-- Runs that ended long ago go, with their tracks.
DELETE FROM replay_run WHERE run_id IN (
    SELECT run_id FROM replay_run WHERE finished_at < :before AND state IN ('finished', 'failed', 'cancelled')
    ORDER BY finished_at LIMIT :most
)
RETURNING run_id;

-- name: get_run^
-- One run.
SELECT run_id, camera_id, source, from_at, to_at, debug, state, reason, requested_at, started_at, finished_at,
    overrides::text AS overrides, gallery_at, pace, why_at, case_ids, wish, steps, attempts, heartbeat_at,
    progress::text AS progress, report::text AS report
FROM replay_run WHERE run_id = :run_id;

-- name: list_runs
-- Runs, newest first; their reports stay behind.
SELECT run_id, camera_id, source, from_at, to_at, debug, state, reason, requested_at, started_at, finished_at,
    overrides::text AS overrides, gallery_at, pace, why_at, case_ids, wish, steps, attempts, heartbeat_at,
    progress::text AS progress, '{}' AS report
FROM replay_run ORDER BY requested_at DESC, run_id LIMIT :most;

-- name: known_runs
-- Which of these runs there are.
SELECT run_id FROM replay_run WHERE run_id = ANY(CAST(:run_ids AS uuid[]));

-- name: notify!
-- Tell whoever waits.
SELECT pg_notify(:channel, :payload);

-- name: add_case!
-- A moment with the outcome that is expected of it.
INSERT INTO replay_case (case_id, name, camera_id, from_at, to_at, expected, created_at)
VALUES (:case_id, :name, :camera_id, :from_at, :to_at, :expected, :created_at);

-- name: list_cases
-- All cases, by time.
SELECT case_id, name, camera_id, from_at, to_at, expected, created_at, passed, seen, ran_at
FROM replay_case ORDER BY from_at, name;

-- name: note_case!
-- What the last run of a case saw.
UPDATE replay_case SET passed = :passed, seen = :seen, ran_at = :at WHERE case_id = :case_id;

-- name: remove_case$
-- A case goes.
WITH removed AS (
    DELETE FROM replay_case WHERE case_id = :case_id RETURNING 1
) SELECT count(*) FROM removed;

-- name: live_events
-- What was written about a camera's tracks in a stretch, in order.
SELECT event_id, type, occurred_at, local_track_id, person_id, person_name, probability, zones, data::text AS data
FROM event
WHERE camera_id = :camera_id AND local_track_id IS NOT NULL AND occurred_at >= :from_at AND occurred_at <= :to_at
ORDER BY number
LIMIT :most;
