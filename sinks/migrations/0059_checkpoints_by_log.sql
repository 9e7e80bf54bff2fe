-- A proof asks for the checkpoints of one log by their size.
ALTER TABLE {database:Identifier}.checkpoints
    ADD COLUMN IF NOT EXISTS top Int64 MATERIALIZED arrayMax(arrayPushBack(subtrees.level, 0)),
    ADD PROJECTION IF NOT EXISTS by_log
    (
        SELECT origin, size, top, meta_index, base, note, subtrees, log_id, log_offset
        ORDER BY origin, size
    )
