-- The first record that stated a schema.
SELECT
    log_id, toInt64(leaf_index) AS leaf_index, offset, timestamp_type,
    toUnixTimestamp64Milli(broker_time) AS milliseconds,
    if(isNull(key), NULL, hex(assumeNotNull(key))) AS key_hex, hex(raw) AS value_hex, hex(headers) AS headers_hex
FROM {database:Identifier}.schemas
WHERE if(
    isNull({registry_id:Nullable(Int64)}),
    fingerprint = {fingerprint:String} AND isNull(registry_id),
    registry_id = {registry_id:Nullable(Int64)})
ORDER BY broker_time, offset
LIMIT 1
