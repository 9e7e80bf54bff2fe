-- One record of a log, whichever table holds it.
SELECT offset, timestamp_type, toUnixTimestamp64Milli(broker_time) AS milliseconds, key, raw, headers
FROM {database:Identifier}.log
WHERE log_id = {log_id:String} AND offset = {offset:UInt64}
LIMIT 1
