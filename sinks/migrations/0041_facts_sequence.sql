-- Who said a fact, and as which number of what it said: so that one that is missing shows.
ALTER TABLE {database:Identifier}.facts
    ADD COLUMN IF NOT EXISTS source_instance String AFTER source_system,
    ADD COLUMN IF NOT EXISTS source_sequence Nullable(Int64) AFTER source_instance
