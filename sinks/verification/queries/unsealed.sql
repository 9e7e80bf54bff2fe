-- Rows outside of what is sealed of a log.
SELECT {offset:Identifier} AS place, toUnixTimestamp64Milli(broker_time) AS time
FROM {database:Identifier}.{table:Identifier}
WHERE log_id = {log_id:String} AND ({offset:Identifier} < {first:UInt64} OR {offset:Identifier} >= {end:UInt64})
ORDER BY {offset:Identifier}
