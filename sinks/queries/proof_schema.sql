-- The first record that stated the schema which messages name so: by its fingerprint, or by a registry's id.
SELECT
    log_id, toInt64(leaf_index) AS leaf_index, offset, timestamp_type,
    toUnixTimestamp64Milli(broker_time) AS milliseconds,
    if(isNull(key), NULL, hex(assumeNotNull(key))) AS key_hex, hex(raw) AS value_hex, hex(headers) AS headers_hex
FROM {database:Identifier}.schemas
WHERE if(isNull(registry_id), fingerprint, concat('registry:', toString(registry_id))) = {named:String}
ORDER BY broker_time, offset
LIMIT 1
