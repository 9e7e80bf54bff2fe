-- One record of a log, whichever table holds it.
SELECT
    offset, timestamp_type, toUnixTimestamp64Milli(broker_time) AS milliseconds,
    if(isNull(key), NULL, hex(assumeNotNull(key))) AS key_hex, hex(raw) AS value_hex, hex(headers) AS headers_hex
FROM {database:Identifier}.log
WHERE log_id = {log_id:String} AND offset = {offset:UInt64}
LIMIT 1
