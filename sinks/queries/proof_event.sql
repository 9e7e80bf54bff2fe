-- Where the events with this identifier stand in their logs, and when they were said. The projection is named itself:
-- for the table ClickHouse would look at more than a hundred columns before it finds the same five.
SELECT log_id, toInt64(leaf_index) AS number, schema_fingerprint, toUnixTimestamp64Milli(broker_time) AS said_at
FROM mergeTreeProjection({database:Identifier}, events, by_id)
WHERE event_id = {identifier:String}
LIMIT 1000
