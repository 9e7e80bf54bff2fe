-- The record that was judged, an activity or a fact, as the bytes that were produced.
SELECT 'activity' AS kind, topic, partition, offset, broker_time, hex(raw) AS raw_hex
FROM {database:Identifier}.events
WHERE topic = {topic:String} AND partition = {partition:UInt32} AND offset = {offset:UInt64}
UNION ALL
SELECT 'fact' AS kind, topic, partition, offset, broker_time, hex(raw) AS raw_hex
FROM {database:Identifier}.facts
WHERE topic = {topic:String} AND partition = {partition:UInt32} AND offset = {offset:UInt64}
