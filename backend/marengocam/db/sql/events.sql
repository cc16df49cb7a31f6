-- name: lock_counter$
-- Whoever numbers waits here: the row lock lasts to the end of the transaction, so that numbers are gap-free and in
-- order of commit. Locked before the events are looked for, so that those just written by another are found.
SELECT last_number FROM event_counter FOR UPDATE;

-- name: add_events
-- Facts that were not written before get the next numbers, in the order given; where there are none, the counter is not
-- locked.
WITH given AS (
    SELECT one.*, zones_json::jsonb AS zones, data_json::jsonb AS data
    FROM unnest(:event_ids::uuid[], :event_types::text[], :occurred::timestamptz[], :camera_ids::text[],
        :local_track_ids::uuid[], :identity_ids::uuid[], :person_ids::uuid[], :person_names::text[],
        :probabilities::real[], :zones::text[], :datas::text[]) WITH ORDINALITY
        AS one (event_id, type, occurred_at, camera_id, local_track_id, identity_id, person_id, person_name,
            probability, zones_json, data_json, place)
    WHERE NOT EXISTS (SELECT FROM event WHERE event.event_id = one.event_id)
), counted AS (
    UPDATE event_counter SET last_number = last_number + (SELECT count(*) FROM given)
    WHERE EXISTS (SELECT FROM given)
    RETURNING last_number
), added AS (
    INSERT INTO event (number, event_id, type, occurred_at, camera_id, local_track_id, identity_id, person_id,
        person_name, probability, zones, data)
    SELECT counted.last_number - (SELECT count(*) FROM given) + row_number() OVER (ORDER BY place), event_id, type,
        occurred_at, camera_id, local_track_id, identity_id, person_id, person_name, probability,
        ARRAY(SELECT jsonb_array_elements_text(given.zones)), given.data
    FROM given CROSS JOIN counted
    RETURNING number, event_id, recorded_at
)
SELECT number, event_id, recorded_at, pg_notify(:channel, number::text)
FROM added
ORDER BY number;

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
