-- The events that have this identifier, the first ones said.
SELECT
    log_id, leaf_index, offset, timestamp_type, toUnixTimestamp64Milli(broker_time) AS milliseconds,
    if(isNull(key), NULL, hex(assumeNotNull(key))) AS key_hex, hex(raw) AS value_hex, hex(headers) AS headers_hex
FROM {database:Identifier}.events
WHERE event_id = {identifier:String}
ORDER BY broker_time, log_id, offset
LIMIT 10
