-- Each turn of the resolver asks which identities a human spoke about: their names are not its to take back.
CREATE INDEX assignment_by_human ON assignment (identity_id) WHERE decided_by = 'human';
