-- The smallest checkpoint over a record of a log.
SELECT origin, size, note, base, meta_index, log_id, log_offset, subtrees
FROM mergeTreeProjection({database:Identifier}, checkpoints, by_log)
WHERE origin = {origin:String} AND size > {index:Int64}
ORDER BY size
LIMIT 1
