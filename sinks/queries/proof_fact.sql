-- Where the facts and verdicts that have this identifier stand in their logs, and when they were said.
SELECT log_id, toInt64(leaf_index) AS number, schema_fingerprint, toUnixTimestamp64Milli(broker_time) AS said_at, 'facts'
FROM {database:Identifier}.facts
WHERE fact_id = {identifier:String}
UNION ALL
SELECT log_id, toInt64(leaf_index), schema_fingerprint, toUnixTimestamp64Milli(broker_time), 'references'
FROM {database:Identifier}.references
WHERE fact_id = {identifier:String}
UNION ALL
SELECT log_id, toInt64(leaf_index), schema_fingerprint, toUnixTimestamp64Milli(broker_time), 'verdicts'
FROM {database:Identifier}.verdicts
WHERE verdict_id = {identifier:String}
LIMIT 1000
