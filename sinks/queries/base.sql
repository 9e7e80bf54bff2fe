SELECT count() AS rows, min(toInt64(offset) - toInt64(leaf_index)) AS base
FROM {database:Identifier}.log
WHERE log_id = {log_id:String}
