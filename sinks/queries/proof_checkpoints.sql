-- The smallest checkpoint over a record of a log, and over one of the log of the schemas.
SELECT origin, size, note, base, meta_index, log_id, log_offset
FROM
(
    SELECT origin, size, note, base, meta_index, log_id, log_offset FROM {database:Identifier}.checkpoints
    WHERE origin = {origin:String} AND size > {index:Int64} ORDER BY size LIMIT 1
)
UNION ALL
SELECT origin, size, note, base, meta_index, log_id, log_offset
FROM
(
    SELECT origin, size, note, base, meta_index, log_id, log_offset FROM {database:Identifier}.checkpoints
    WHERE origin = {schema_origin:String} AND size > {schema_index:Int64} ORDER BY size LIMIT 1
)
