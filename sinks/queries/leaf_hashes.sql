-- Leaf hashes of a range of a log, both ends included.
SELECT toInt64(leaf_index) AS leaf_index, hex(leaf_hash) AS hash
FROM {database:Identifier}.log
WHERE log_id = {log_id:String} AND offset BETWEEN {low:UInt64} AND {high:UInt64}
