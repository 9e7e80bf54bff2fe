-- A proof asks for the checkpoints of one log by their size, and for notes by their place in the meta log.
ALTER TABLE {database:Identifier}.checkpoints
    ADD COLUMN IF NOT EXISTS top Int64 MATERIALIZED arrayMax(arrayPushBack(subtrees.level, 0)),
    ADD INDEX IF NOT EXISTS by_place if(meta_index < 0, size, meta_index) TYPE minmax GRANULARITY 1,
    ADD PROJECTION IF NOT EXISTS by_log
    (
        SELECT origin, size, top, meta_index, base, note, subtrees
        ORDER BY origin, size
    )
