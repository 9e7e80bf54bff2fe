-- The checkpoints of one log by their size.
ALTER TABLE {database:Identifier}.checkpoints
    ADD PROJECTION IF NOT EXISTS by_log
    (
        SELECT origin, size, top, meta_index, base, note, subtrees, log_id, log_offset
        ORDER BY origin, size
    )
    WITH SETTINGS (index_granularity = 256)
