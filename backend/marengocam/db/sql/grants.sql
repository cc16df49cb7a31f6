-- name: everybody#
-- What each service may do with the hub's tables: what its code needs, and nothing else. A test follows the code to
-- every query and fails when a right lacks or is of no use. After a change of queries have it written anew:
-- MARENGOCAM_UPDATE_REFERENCE=1 .venv/bin/python -m pytest tests/integration/db/test_roles.py
-- Nobody but the owner makes tables here.
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
DO $$ BEGIN EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database()); END $$;

-- name: ingest#
-- The rights of marengocam_ingest.
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM marengocam_ingest;
GRANT INSERT ON health_log
    TO marengocam_ingest;
GRANT SELECT ON assignment, camera, camera_way, denial, exemplar, identity, person, record_wish,
    schema_migration, zone
    TO marengocam_ingest;
GRANT SELECT, INSERT ON event
    TO marengocam_ingest;
GRANT SELECT, INSERT, UPDATE ON camera_memory, camera_status, chunk, lease, local_track, setting
    TO marengocam_ingest;
GRANT SELECT, INSERT, UPDATE, DELETE ON service_health
    TO marengocam_ingest;
GRANT SELECT, UPDATE ON event_counter, replay_case, replay_run
    TO marengocam_ingest;
-- A replay decides who was seen in tables of its own session, so that it cannot touch the live ones (I5).
DO $$ BEGIN EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO marengocam_ingest', current_database()); END $$;

-- name: resolver#
-- The rights of marengocam_resolver.
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM marengocam_resolver;
GRANT SELECT ON camera_way, denial, person, schema_migration, setting
    TO marengocam_resolver;
GRANT SELECT, INSERT ON event
    TO marengocam_resolver;
GRANT SELECT, INSERT, UPDATE ON assignment, identity
    TO marengocam_resolver;
GRANT SELECT, INSERT, UPDATE, DELETE ON exemplar, service_health
    TO marengocam_resolver;
GRANT SELECT, UPDATE ON event_counter, local_track
    TO marengocam_resolver;

-- name: automation#
-- The rights of marengocam_automation.
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM marengocam_automation;
GRANT INSERT ON health_log
    TO marengocam_automation;
GRANT SELECT ON camera_name, camera_status, person, rule, schema_migration, sight, zone
    TO marengocam_automation;
GRANT SELECT, INSERT ON event, rule_outcome
    TO marengocam_automation;
GRANT SELECT, INSERT, DELETE ON rule_firing
    TO marengocam_automation;
GRANT SELECT, INSERT, UPDATE ON consumer_position, lease, record_wish, setting
    TO marengocam_automation;
GRANT SELECT, INSERT, UPDATE, DELETE ON rule_waiting, service_health
    TO marengocam_automation;
GRANT SELECT, UPDATE ON event_counter
    TO marengocam_automation;

-- name: face#
-- The rights of marengocam_face.
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM marengocam_face;
GRANT SELECT ON assignment, identity, schema_migration, setting
    TO marengocam_face;
GRANT SELECT, INSERT ON person
    TO marengocam_face;
GRANT SELECT, INSERT, DELETE ON exemplar
    TO marengocam_face;
GRANT SELECT, INSERT, UPDATE ON lease
    TO marengocam_face;
GRANT SELECT, INSERT, UPDATE, DELETE ON engine_copy, service_health
    TO marengocam_face;
GRANT SELECT, UPDATE ON local_track
    TO marengocam_face;

-- name: janitor#
-- The rights of marengocam_janitor.
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM marengocam_janitor;
GRANT INSERT ON recording_day
    TO marengocam_janitor;
GRANT SELECT ON assignment, camera, camera_status, denial, person, retention, schema_migration, word
    TO marengocam_janitor;
GRANT SELECT, DELETE ON exemplar, identity, replay_run
    TO marengocam_janitor;
GRANT SELECT, INSERT ON favourite
    TO marengocam_janitor;
GRANT SELECT, INSERT, DELETE ON event, health_log, health_sample
    TO marengocam_janitor;
GRANT SELECT, INSERT, UPDATE ON setting
    TO marengocam_janitor;
GRANT SELECT, INSERT, UPDATE, DELETE ON recording_pause, service_health
    TO marengocam_janitor;
GRANT SELECT, UPDATE ON event_counter
    TO marengocam_janitor;
GRANT SELECT, UPDATE, DELETE ON chunk, local_track
    TO marengocam_janitor;

-- name: web#
-- The rights of marengocam_web.
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM marengocam_web;
GRANT SELECT ON camera_status, health_sample, recording_day, recording_pause, schema_migration, sight
    TO marengocam_web;
GRANT SELECT, INSERT, DELETE ON denial, zone
    TO marengocam_web;
GRANT SELECT, INSERT, UPDATE ON event, identity, setting, token, word
    TO marengocam_web;
GRANT SELECT, INSERT, UPDATE, DELETE ON camera, camera_way, exemplar, person, replay_case, replay_run, retention, rule,
    service_health
    TO marengocam_web;
GRANT SELECT, UPDATE ON assignment, chunk, engine_copy, event_counter, favourite, health_log, local_track,
    rule_firing, rule_outcome
    TO marengocam_web;
