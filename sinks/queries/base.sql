-- The offset at which a log began, and below which it was stated to be dropped: what was dropped has no rows to tell.
SELECT count() AS known, min(base) AS base, max(dropped_below) AS dropped_below
FROM
(
    SELECT toInt64(offset) - toInt64(leaf_index) AS base, 0 AS dropped_below
    FROM {database:Identifier}.log
    WHERE log_id = {log_id:String}
    UNION ALL
    SELECT minimum_offset - minimum_index, minimum_offset
    FROM {database:Identifier}.prunings
    WHERE origin = {log_id:String}
)
