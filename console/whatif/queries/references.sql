-- The references of a controller and of the law, in the order in which they became known.
SELECT toUnixTimestamp64Milli(broker_time) AS known_at, raw
FROM {database:Identifier}.references
WHERE topic IN {topics:Array(String)}
ORDER BY broker_time, topic, offset
