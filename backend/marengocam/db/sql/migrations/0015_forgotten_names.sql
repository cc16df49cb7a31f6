-- A name that was erased here is not kept for the sake of a face engine that is away: to find it among the names that the
-- engine tells when it is back, a digest suffices.
ALTER TABLE engine_copy ALTER COLUMN name DROP NOT NULL, ADD COLUMN name_digest bytea;
UPDATE engine_copy SET name = NULL, name_digest = sha256(convert_to(person_id || '/' || name, 'UTF8'))
WHERE NOT EXISTS (SELECT FROM person WHERE person.person_id = engine_copy.person_id);
ALTER TABLE engine_copy ADD CHECK ((name IS NULL) <> (name_digest IS NULL));
COMMENT ON COLUMN engine_copy.name IS 'The name it goes by there; null: erased here.';
COMMENT ON COLUMN engine_copy.name_digest IS 'Of whom was erased here: SHA-256 of person_id/name, by which the name is found among those that the engine tells; null: name tells it.';
-- Of a word that was taken back its names are kept, so that whoever is erased goes from it, too.
COMMENT ON COLUMN word.before IS 'The rows as they were: {identities, assignments, exemplars, persons}; of a word taken back: {persons}, whom it names; null: for good.';
