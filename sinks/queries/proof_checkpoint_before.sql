-- The smallest checkpoint over a record of a log, whether or not it was kept before there was a projection of them.
SELECT origin, size, note, base, meta_index, log_id, log_offset, subtrees
FROM {database:Identifier}.checkpoints
WHERE origin = {origin:String} AND size > {index:Int64}
ORDER BY size
LIMIT 1
