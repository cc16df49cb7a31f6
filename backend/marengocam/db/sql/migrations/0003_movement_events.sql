-- Something that walks and is not recognised is worth an event of its own kind.
ALTER TABLE event DROP CONSTRAINT event_type_check;
ALTER TABLE event ADD CONSTRAINT event_type_check CHECK (type IN ('person_detected', 'person_confirmed',
    'person_unknown', 'person_corrected', 'zone_entered', 'movement_seen', 'visit_ended', 'camera_offline',
    'camera_online', 'health_changed', 'survival_mode_changed', 'replay_finished'));
