-- Each turn of the resolver asks what engines without embeddings called the tracks around: most houses have none such.
CREATE INDEX local_track_by_word ON local_track (local_track_id) WHERE name_evidence IS NOT NULL;
