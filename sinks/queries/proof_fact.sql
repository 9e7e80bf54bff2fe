-- Where the facts and verdicts that have this identifier stand in their logs, the first ones said.
SELECT log_id, toInt64(leaf_index) AS number, schema_fingerprint
FROM
(
    SELECT log_id, leaf_index, broker_time, schema_fingerprint
    FROM {database:Identifier}.facts
    WHERE fact_id = {identifier:String}
    UNION ALL
    SELECT log_id, leaf_index, broker_time, schema_fingerprint
    FROM {database:Identifier}.references
    WHERE fact_id = {identifier:String}
    UNION ALL
    SELECT log_id, leaf_index, broker_time, schema_fingerprint
    FROM {database:Identifier}.verdicts
    WHERE verdict_id = {identifier:String}
)
ORDER BY broker_time, log_id, number
LIMIT 10
