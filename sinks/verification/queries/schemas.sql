-- The texts of schemas, as they were said.
SELECT raw
FROM {database:Identifier}.schemas
ORDER BY log_id, offset
