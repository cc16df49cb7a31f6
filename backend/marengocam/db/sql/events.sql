-- name: take_numbers$
-- The row lock lasts to the end of the transaction: numbers are gap-free and in order of commit.
UPDATE event_counter SET last_number = last_number + :amount RETURNING last_number;

-- name: lock_counter$
-- Whoever numbers waits here, before looking for repeats.
SELECT last_number FROM event_counter FOR UPDATE;

-- name: known_ids
-- Which of these were written before.
SELECT event_id FROM event WHERE event_id = ANY(CAST(:event_ids AS uuid[]));

-- name: add_event^
-- One numbered fact.
INSERT INTO event (number, event_id, type, occurred_at, camera_id, local_track_id, identity_id, person_id,
    person_name, probability, zones, data)
VALUES (:number, :event_id, :event_type, :occurred_at, :camera_id, :local_track_id, :identity_id, :person_id,
    :person_name, :probability, :zones, CAST(:data AS text)::jsonb)
RETURNING recorded_at;

-- name: events_after
-- Forward from a number; null filters take everything.
SELECT number, event_id, type, occurred_at, recorded_at, camera_id, local_track_id, identity_id, person_id,
    person_name, probability, zones, data::text AS data
FROM event
WHERE number > :number
    AND (CAST(:event_type AS text) IS NULL OR type = :event_type)
    AND (CAST(:camera_id AS text) IS NULL OR camera_id = :camera_id)
    AND (CAST(:person_id AS uuid) IS NULL OR person_id = :person_id)
ORDER BY number
LIMIT :most;

-- name: events_before
-- Backward from a number, newest first; null filters take everything.
SELECT number, event_id, type, occurred_at, recorded_at, camera_id, local_track_id, identity_id, person_id,
    person_name, probability, zones, data::text AS data
FROM event
WHERE number < :number
    AND (CAST(:event_type AS text) IS NULL OR type = :event_type)
    AND (CAST(:camera_id AS text) IS NULL OR camera_id = :camera_id)
    AND (CAST(:person_id AS uuid) IS NULL OR person_id = :person_id)
ORDER BY number DESC
LIMIT :most;

-- name: last_number$
-- The highest number given out.
SELECT last_number FROM event_counter;

-- name: position$
-- How far a reader has come.
SELECT last_number FROM consumer_position WHERE consumer = :consumer;

-- name: move!
-- A reader has dealt with everything up to a number; it never goes back.
INSERT INTO consumer_position (consumer, last_number) VALUES (:consumer, :number)
ON CONFLICT (consumer) DO UPDATE
SET last_number = greatest(consumer_position.last_number, excluded.last_number), updated_at = now();

-- name: prune$
-- Old facts go, a batch at a time; numbers are never given out again.
WITH gone AS (
    DELETE FROM event WHERE number IN (SELECT number FROM event WHERE occurred_at < :before ORDER BY occurred_at LIMIT :most)
    RETURNING 1
) SELECT count(*) FROM gone;

-- name: notify!
-- Tell whoever waits.
SELECT pg_notify(:channel, :payload);
