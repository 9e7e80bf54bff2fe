-- The newest checkpoint of a log.
SELECT origin, size, note, base, meta_index, log_id, log_offset
FROM {database:Identifier}.checkpoints
WHERE origin = {origin:String}
ORDER BY size DESC
LIMIT 1
