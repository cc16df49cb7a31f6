-- A name that is taken back takes with it whom it alone had made: who that was has to outlive what undoes it.
ALTER TABLE word ADD COLUMN made uuid[] NOT NULL DEFAULT '{}';
CREATE INDEX word_by_made ON word USING gin (made) WHERE made <> '{}';
COMMENT ON COLUMN word.made IS 'Persons that came to be by it: taken back, it takes them with it, unless something else is of them.';
