-- What a verdict rests on: the facts about its data subject, the activities it names as facts, and the references it
-- names or that speak of the same thing, as they were known at a broker time (milliseconds since 1970).
SELECT *
FROM
(
    SELECT 'fact' AS kind, topic, partition, offset, broker_time, hex(raw) AS raw_hex
    FROM {database:Identifier}.facts
    WHERE topic = {topic:String}
        AND subject = {subject:String}
        AND toUnixTimestamp64Milli(broker_time) <= {known_at:Int64}
    UNION ALL
    SELECT 'activity' AS kind, topic, partition, offset, broker_time, hex(raw) AS raw_hex
    FROM {database:Identifier}.events
    WHERE topic = {topic:String}
        AND event_id IN {versions:Array(String)}
        AND toUnixTimestamp64Milli(broker_time) <= {known_at:Int64}
    UNION ALL
    SELECT 'reference' AS kind, topic, partition, offset, broker_time, hex(raw) AS raw_hex
    FROM {database:Identifier}.references
    WHERE topic IN {reference_topics:Array(String)}
        AND toUnixTimestamp64Milli(broker_time) <= {known_at:Int64}
        AND
        (
            fact_id IN {versions:Array(String)}
            OR arrayExists(key -> position(body, concat('"', key, '"')) > 0, {keys:Array(String)})
        )
)
ORDER BY broker_time, topic, partition, offset
