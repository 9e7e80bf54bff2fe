-- How many records of one partition of a table no statement covers: `minimums` has the first index that stays, by log.
SELECT countIf(leaf_index >= {minimums:Map(String, Int64)}[log_id]) AS records
FROM {database:Identifier}.log
WHERE kept_in = {table:String} AND topic = {topic:String} AND toYYYYMM(broker_time) = {month:UInt32}
