-- How each camera is read, recorded and analysed.
ALTER TABLE camera
    ADD COLUMN transport text NOT NULL DEFAULT 'tcp' CHECK (transport IN ('tcp', 'udp')),
    ADD COLUMN recording jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(recording) = 'object'),
    ADD COLUMN analysis jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(analysis) = 'object');
COMMENT ON COLUMN camera.transport IS 'How RTSP carries its packets: tcp or udp.';
COMMENT ON COLUMN camera.recording IS 'Mode (always, motion, person, off), pre-roll, post-roll, sound; what is missing has its default.';
COMMENT ON COLUMN camera.analysis IS 'Labels with their least score and size, masks, and what is learned; what is missing has its default.';

ALTER TABLE local_track ADD COLUMN crop_paths text[] NOT NULL DEFAULT '{}';
COMMENT ON COLUMN local_track.crop_paths IS 'Further pictures that show it otherwise than the best one, under the media root.';

CREATE TABLE camera_memory (
    camera_id text PRIMARY KEY REFERENCES camera ON DELETE CASCADE,
    furniture jsonb NOT NULL DEFAULT '{}',
    updated_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE camera_memory IS 'What the analysis of a camera has learned and keeps over restarts.';
COMMENT ON COLUMN camera_memory.camera_id IS 'The camera.';
COMMENT ON COLUMN camera_memory.furniture IS 'Things that stand in its picture for hours and look like people.';
COMMENT ON COLUMN camera_memory.updated_at IS 'When it was last written.';
