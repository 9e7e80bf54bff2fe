-- Months of the trail of events that are older than its period and still there; those that are younger and gone are
-- for `inzage verify` to find.
SELECT
    concat(topic, '/', toString(toYYYYMM(broker_time))) AS about,
    '' AS subject,
    toDateTime64(max(broker_time), 6, 'UTC') AS since,
    CAST([], 'Array(Tuple(String, String, String))') AS facts
FROM {database:Identifier}.events
WHERE topic = {topic:String} AND toYYYYMM(broker_time) < {first_month:UInt32}
GROUP BY topic, toYYYYMM(broker_time)
ORDER BY about
