-- Everything said about one person, as the bytes that were produced.
SELECT *
FROM
(
    SELECT 'activity' AS kind, topic, partition, offset, broker_time, hex(raw) AS raw_hex
    FROM {database:Identifier}.events
    WHERE subject.pseudonym = {subject:String} AND topic IN {topics:Array(String)}
    UNION ALL
    SELECT 'fact' AS kind, topic, partition, offset, broker_time, hex(raw) AS raw_hex
    FROM {database:Identifier}.facts
    WHERE subject = {subject:String} AND topic IN {topics:Array(String)}
)
ORDER BY topic, partition, offset
