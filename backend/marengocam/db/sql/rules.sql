-- name: list_rules
-- All rules, by name.
SELECT rule_id, name, enabled, event_type, conditions::text AS conditions, mqtt_topic, payload::text AS payload,
    created_at
FROM rule ORDER BY lower(name);

-- name: get_rule^
-- One rule.
SELECT rule_id, name, enabled, event_type, conditions::text AS conditions, mqtt_topic, payload::text AS payload,
    created_at
FROM rule WHERE rule_id = :rule_id;

-- name: add_rule!
-- A new rule.
INSERT INTO rule (rule_id, name, enabled, event_type, conditions, mqtt_topic, payload, created_at)
VALUES (:rule_id, :rule_name, :enabled, :event_type, CAST(:conditions AS text)::jsonb, :mqtt_topic,
    CAST(:payload AS text)::jsonb, :created_at);

-- name: update_rule^
-- All that its owner may change.
UPDATE rule SET name = :rule_name, enabled = :enabled, event_type = :event_type,
    conditions = CAST(:conditions AS text)::jsonb, mqtt_topic = :mqtt_topic, payload = CAST(:payload AS text)::jsonb
WHERE rule_id = :rule_id
RETURNING rule_id;

-- name: remove_rule^
-- It publishes no more.
DELETE FROM rule WHERE rule_id = :rule_id RETURNING rule_id;
