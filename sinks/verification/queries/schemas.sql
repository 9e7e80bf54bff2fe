-- The texts of schemas, as they were said, and where; what was said first holds.
SELECT log_id, toInt64(leaf_index) AS leaf_index, raw
FROM {database:Identifier}.schemas
ORDER BY broker_time, log_id, offset
