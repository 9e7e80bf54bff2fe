-- Where the events with this identifier stand in their logs, and when they were said. Only what a projection holds in
-- order of the identifier is asked for.
SELECT log_id, toInt64(leaf_index) AS number, schema_fingerprint, toUnixTimestamp64Milli(broker_time) AS said_at
FROM {database:Identifier}.events
WHERE event_id = {identifier:String}
LIMIT 1000
