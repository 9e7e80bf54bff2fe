SELECT
    origin, minimum_index, minimum_offset, size, root, frontier, reason, approver, note, meta_index, stated_at
FROM {database:Identifier}.prunings
ORDER BY log_id, log_offset
