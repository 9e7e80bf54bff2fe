-- The checkpoint of a log of one size.
SELECT origin, size, note, base, meta_index, log_id, log_offset
FROM {database:Identifier}.checkpoints
WHERE origin = {origin:String} AND size = {size:Int64}
LIMIT 1
