-- Ingest saves all it knows of somebody as long as it follows them; who is erased meanwhile must not come back with that.
ALTER TABLE local_track ADD COLUMN withheld text CHECK (withheld IN ('name', 'all'));
COMMENT ON COLUMN local_track.withheld IS 'What later saves leave out, since a person was erased: name, an engine''s word; all, also face, looks and pictures; null: nothing.';
