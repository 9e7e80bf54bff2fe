-- The first record that stated the schema which messages name so, by its fingerprint or by a registry's id, with its log
-- and index, and leaf hashes of the first tiles of the logs of schemas: one is short.
SELECT
    argMinIf(
        (
            log_id, toInt64(leaf_index), offset, timestamp_type, toUnixTimestamp64Milli(broker_time),
            if(isNull(key), NULL, hex(assumeNotNull(key))), hex(raw), hex(headers)
        ),
        (broker_time, offset),
        named
    ) AS first,
    groupArrayIf(1024)((log_id, toInt64(leaf_index), hex(leaf_hash)), leaf_index < 512) AS leaves,
    countIf(if(isNull(registry_id), fingerprint, concat('registry:', toString(registry_id))) = {named:String} AS named)
        AS stated
FROM {database:Identifier}.schemas
