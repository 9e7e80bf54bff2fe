-- Where the facts and verdicts that have this identifier stand in their logs, when they were said, and their table;
-- and events that were kept before there was a projection of them.
SELECT log_id, toInt64(leaf_index) AS number, schema_fingerprint, toUnixTimestamp64Milli(broker_time) AS said_at, kept_in
FROM
(
    SELECT log_id, leaf_index, schema_fingerprint, broker_time, 'facts' AS kept_in
    FROM {database:Identifier}.facts
    WHERE fact_id = {identifier:String}
    UNION ALL
    SELECT log_id, leaf_index, schema_fingerprint, broker_time, 'references'
    FROM {database:Identifier}.references
    WHERE fact_id = {identifier:String}
    UNION ALL
    SELECT log_id, leaf_index, schema_fingerprint, broker_time, 'verdicts'
    FROM {database:Identifier}.verdicts
    WHERE verdict_id = {identifier:String}
    UNION ALL
    SELECT log_id, leaf_index, schema_fingerprint, broker_time, 'events'
    FROM {database:Identifier}.events
    WHERE event_id = {identifier:String}
)
LIMIT 1000
