-- The texts of schemas, as they were said; what was said first holds.
SELECT raw
FROM {database:Identifier}.schemas
ORDER BY broker_time, log_id, offset
