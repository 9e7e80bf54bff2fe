-- How many records of one partition of a table no statement covers: `minimums` are the first indexes that stay of `logs`.
SELECT countIf(toInt64(leaf_index) >= transform(log_id, {logs:Array(String)}, {minimums:Array(Int64)}, toInt64(0))) AS records
FROM {database:Identifier}.log
WHERE kept_in = {table:String} AND topic = {topic:String} AND toYYYYMM(broker_time) = {month:UInt32}
