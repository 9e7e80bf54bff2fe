-- The facts and verdicts that have this identifier, the first ones said.
SELECT
    log_id, leaf_index, offset, timestamp_type, toUnixTimestamp64Milli(broker_time) AS milliseconds,
    if(isNull(key), NULL, hex(assumeNotNull(key))) AS key_hex, hex(raw) AS value_hex, hex(headers) AS headers_hex
FROM
(
    SELECT log_id, leaf_index, offset, timestamp_type, broker_time, key, raw, headers
    FROM {database:Identifier}.facts
    WHERE fact_id = {identifier:String}
    UNION ALL
    SELECT log_id, leaf_index, offset, timestamp_type, broker_time, key, raw, headers
    FROM {database:Identifier}.references
    WHERE fact_id = {identifier:String}
    UNION ALL
    SELECT
        log_id, leaf_index, log_offset AS offset, timestamp_type, broker_time, log_key AS key, raw,
        log_headers AS headers
    FROM {database:Identifier}.verdicts
    WHERE verdict_id = {identifier:String}
)
ORDER BY milliseconds, log_id, offset
LIMIT 10
