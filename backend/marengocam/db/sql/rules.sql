-- name: list_rules
-- All rules, by name.
SELECT rule_id, name, enabled, event_types, conditions::text AS conditions, late, rate_limit::text AS rate_limit,
    actions::text AS actions, created_at
FROM rule ORDER BY lower(name), name;

-- name: get_rule^
-- One rule.
SELECT rule_id, name, enabled, event_types, conditions::text AS conditions, late, rate_limit::text AS rate_limit,
    actions::text AS actions, created_at
FROM rule WHERE rule_id = :rule_id;

-- name: rule_by_name^
-- One rule by what its owner calls it.
SELECT rule_id, name, enabled, event_types, conditions::text AS conditions, late, rate_limit::text AS rate_limit,
    actions::text AS actions, created_at
FROM rule WHERE name = :rule_name;

-- name: put_rule!
-- A new rule, or all that its owner may change of one.
INSERT INTO rule (rule_id, name, enabled, event_types, conditions, late, rate_limit, actions, created_at)
VALUES (:rule_id, :rule_name, :enabled, :event_types, CAST(:conditions AS text)::jsonb, :late,
    CAST(:rate_limit AS text)::jsonb, CAST(:actions AS text)::jsonb, :created_at)
ON CONFLICT (rule_id) DO UPDATE SET name = excluded.name, enabled = excluded.enabled,
    event_types = excluded.event_types, conditions = excluded.conditions, late = excluded.late,
    rate_limit = excluded.rate_limit, actions = excluded.actions;

-- name: remove_rule^
-- It acts no more.
DELETE FROM rule WHERE rule_id = :rule_id RETURNING rule_id;

-- name: remove_others!
-- Rules that are not in a file that stands for all.
DELETE FROM rule WHERE rule_id <> ALL (:rule_ids);

-- name: add_firing^
-- A rule fires, once for each event.
INSERT INTO rule_firing (firing_id, rule_id, rule_name, event_number, event_type, occurred_at, fired_at, camera_id,
    person_id, person_name)
VALUES (:firing_id, :rule_id, :rule_name, :event_number, :event_type, :occurred_at, :fired_at, :camera_id, :person_id,
    :person_name)
ON CONFLICT (rule_id, event_number) DO NOTHING
RETURNING firing_id;

-- name: fired_near
-- A rule's firings around a moment, for its limit.
SELECT occurred_at AS at, camera_id, person_id FROM rule_firing
WHERE rule_id = :rule_id AND occurred_at BETWEEN :from_at AND :to_at;

-- name: add_outcomes!
-- What became of actions; told again it stays as it was. A firing that was pruned meanwhile is left out.
INSERT INTO rule_outcome (firing_id, place, action, target, state, reason, ended_at)
SELECT one.* FROM unnest(:firing_ids::uuid[], :places::integer[], :kinds::text[], :targets::text[], :states::text[],
    :reasons::text[], :ended::timestamptz[]) AS one (firing_id, place, action, target, state, reason, ended_at)
JOIN rule_firing USING (firing_id)
ON CONFLICT (firing_id, place) DO NOTHING;

-- name: firings
-- Firings with what became of their actions, newest first; null filters take everything.
SELECT f.firing_id, f.rule_id, f.rule_name, f.event_number, f.event_type, f.occurred_at, f.fired_at, f.camera_id,
    f.person_id, f.person_name, coalesce((
        SELECT jsonb_agg(jsonb_build_object('place', o.place, 'action', o.action, 'target', o.target, 'state', o.state,
            'reason', o.reason, 'ended_at', o.ended_at) ORDER BY o.place)
        FROM rule_outcome o WHERE o.firing_id = f.firing_id
    ), '[]')::text AS outcomes
FROM rule_firing f
WHERE (CAST(:rule_id AS uuid) IS NULL OR f.rule_id = :rule_id)
    AND (CAST(:before AS timestamptz) IS NULL OR f.fired_at < :before)
    AND (NOT :failed_only OR EXISTS (
        SELECT FROM rule_outcome o WHERE o.firing_id = f.firing_id AND o.state = 'failed'))
ORDER BY f.fired_at DESC
LIMIT :most;

-- name: prune_firings$
-- Old firings go with their outcomes, a batch at a time.
WITH gone AS (
    DELETE FROM rule_firing WHERE firing_id IN (
        SELECT firing_id FROM rule_firing WHERE fired_at < :before ORDER BY fired_at LIMIT :most)
    RETURNING 1
) SELECT count(*) FROM gone;

-- name: wait!
-- An event is looked at again later.
INSERT INTO rule_waiting (rule_id, event_number, again_at) VALUES (:rule_id, :event_number, :again_at)
ON CONFLICT (rule_id, event_number) DO UPDATE SET again_at = excluded.again_at;

-- name: wait_no_more!
-- It is decided.
DELETE FROM rule_waiting WHERE rule_id = :rule_id AND event_number = :event_number;

-- name: waiting
-- What is to be looked at again by a moment, with the event; the soonest first.
SELECT w.rule_id, w.again_at, e.number, e.event_id, e.type, e.occurred_at, e.recorded_at, e.camera_id,
    e.local_track_id, e.identity_id, e.person_id, e.person_name, e.probability, e.zones, e.data::text AS data
FROM rule_waiting w JOIN event e ON e.number = w.event_number
WHERE w.again_at <= :by_at
ORDER BY w.again_at
LIMIT :most;

-- name: next_wait$
-- When the next one is to be looked at again.
SELECT min(w.again_at) FROM rule_waiting w JOIN event e ON e.number = w.event_number;

-- name: prune_waiting!
-- What waits for an event that is gone.
DELETE FROM rule_waiting WHERE again_at < :before;

-- name: past_events
-- Events of some types in a stretch of time, in their order; the newest of them when there are too many.
SELECT * FROM (
    SELECT number, event_id, type, occurred_at, recorded_at, camera_id, local_track_id, identity_id, person_id,
        person_name, probability, zones, data::text AS data
    FROM event
    WHERE occurred_at >= :from_at AND occurred_at < :to_at AND type = ANY (:event_types)
    ORDER BY number DESC
    LIMIT :most
) newest ORDER BY number;

-- name: stays
-- When cameras saw persons, as far as it touches a stretch of time.
SELECT person_id, person_name AS name, first_seen_at AS from_at, last_seen_at AS to_at, open
FROM sight
WHERE person_id IS NOT NULL AND last_seen_at >= :from_at AND first_seen_at <= :to_at;

-- name: sights_of
-- How long tracks were seen and where, and the polygon of a zone of their camera for each.
SELECT s.local_track_id, one.zone, s.last_seen_at, s.open, s.path::text AS path, z.polygon::text AS polygon
FROM unnest(:track_ids::uuid[], :zones::text[]) AS one (local_track_id, zone)
JOIN sight s USING (local_track_id)
LEFT JOIN zone z ON z.camera_id = s.camera_id AND z.name = one.zone;

-- name: record_until
-- Have cameras recorded for a while, a longer wish holds on; returns those whose recording is not off.
INSERT INTO record_wish AS before (camera_id, until_at)
SELECT camera_id, :until_at FROM camera_name
WHERE camera_id = ANY (:camera_ids) AND enabled AND recording_mode IS DISTINCT FROM 'off'
ON CONFLICT (camera_id) DO UPDATE SET until_at = greatest(before.until_at, excluded.until_at)
RETURNING camera_id;

-- name: record_wishes
-- Until when cameras are to be recorded whatever is seen.
SELECT camera_id, until_at FROM record_wish WHERE until_at > :now_at;

-- name: notify!
-- Tell whoever waits.
SELECT pg_notify(:channel, :payload);
