-- Where the events with this identifier stand in their logs, the first ones said. Only what a projection holds in order
-- of the identifier is asked for; the records themselves are read together with their neighbours.
SELECT log_id, toInt64(leaf_index) AS number, schema_fingerprint
FROM {database:Identifier}.events
WHERE event_id = {identifier:String}
ORDER BY toUnixTimestamp64Milli(broker_time), log_id, number
LIMIT 10
