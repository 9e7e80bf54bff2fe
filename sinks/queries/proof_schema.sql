-- The records that stated the schema which messages name so, by its fingerprint or by a registry's id, and leaf hashes
-- of the first tiles of the logs of schemas: one is short.
SELECT
    log_id, toInt64(leaf_index) AS number, leaf_hash, offset, timestamp_type,
    toUnixTimestamp64Milli(broker_time) AS milliseconds,
    if(isNull(registry_id), fingerprint, concat('registry:', toString(registry_id))) = {named:String} AS stated,
    if(stated, key, NULL) AS key_of_one, if(stated, raw, '') AS value_of_one, if(stated, headers, '') AS headers_of_one
FROM {database:Identifier}.schemas
WHERE leaf_index < 512 OR stated
LIMIT 4096
