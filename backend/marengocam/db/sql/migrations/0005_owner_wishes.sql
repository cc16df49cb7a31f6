-- What an owner asks for while all runs: a camera begun anew, a moment marked.
ALTER TABLE camera ADD COLUMN restarts integer NOT NULL DEFAULT 0;
COMMENT ON COLUMN camera.restarts IS 'How often its owner had it begun anew; a change makes ingest do so.';

ALTER TABLE event DROP CONSTRAINT event_type_check;
ALTER TABLE event ADD CONSTRAINT event_type_check CHECK (type IN ('person_detected', 'person_confirmed',
    'person_unknown', 'person_corrected', 'zone_entered', 'movement_seen', 'visit_ended', 'moment_marked',
    'camera_offline', 'camera_online', 'health_changed', 'survival_mode_changed', 'replay_finished'));
