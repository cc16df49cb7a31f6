-- What humans say about identities: audited, undoable, never overruled (I6); and a shared way to find strangers' faces.
ALTER TABLE identity ADD COLUMN ignored boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN identity.ignored IS 'True: its owner never wants to hear about it, such as a poster.';
ALTER TABLE person ADD COLUMN ignored boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN person.ignored IS 'True: recognised, but nothing is told about them.';
CREATE INDEX identity_ignored ON identity (identity_id) WHERE ignored;

CREATE TABLE word (
    word_id uuid PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('name', 'rename', 'merge', 'merge_persons', 'split', 'deny', 'confirm', 'ignore',
        'erase')),
    said_at timestamptz NOT NULL,
    said_by text NOT NULL,
    summary text NOT NULL,
    subjects uuid[] NOT NULL,
    changed uuid[] NOT NULL,
    before jsonb,
    undone_at timestamptz,
    undone_by text
);
CREATE INDEX word_by_time ON word (said_at);
CREATE INDEX word_by_subject ON word USING gin (subjects);
COMMENT ON TABLE word IS 'A human''s word about identities or persons, with what it takes to undo it.';
COMMENT ON COLUMN word.word_id IS 'Identifier.';
COMMENT ON COLUMN word.kind IS 'name, rename, merge, merge_persons, split, deny, confirm, ignore or erase.';
COMMENT ON COLUMN word.said_at IS 'When.';
COMMENT ON COLUMN word.said_by IS 'Whose token said so, or cli.';
COMMENT ON COLUMN word.summary IS 'What was said, as a sentence.';
COMMENT ON COLUMN word.subjects IS 'Identities and persons it is about.';
COMMENT ON COLUMN word.changed IS 'Those whose rows it changed: a later word that changed one of them is undone first.';
COMMENT ON COLUMN word.before IS 'The rows as they were: {identities, assignments, exemplars, persons}; null: for good.';
COMMENT ON COLUMN word.undone_at IS 'When it was taken back; null: it holds.';
COMMENT ON COLUMN word.undone_by IS 'Whose token took it back.';

CREATE TABLE denial (
    identity_id uuid NOT NULL REFERENCES identity ON DELETE CASCADE,
    person_id uuid NOT NULL REFERENCES person ON DELETE CASCADE,
    word_id uuid NOT NULL REFERENCES word ON DELETE CASCADE,
    PRIMARY KEY (identity_id, person_id)
);
CREATE INDEX denial_by_person ON denial (person_id);
CREATE INDEX denial_by_word ON denial (word_id);
COMMENT ON TABLE denial IS 'A human said that this identity is not that person; its faces speak against it from then on.';
COMMENT ON COLUMN denial.identity_id IS 'The identity.';
COMMENT ON COLUMN denial.person_id IS 'The person it is not.';
COMMENT ON COLUMN denial.word_id IS 'The word that said so.';
