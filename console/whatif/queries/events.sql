-- The activities of a stretch of one log that a hypothesis may concern; without words it may concern each of them.
SELECT offset, toUnixTimestamp64Milli(broker_time) AS known_at, subject.pseudonym AS person, raw
FROM {database:Identifier}.events
WHERE topic = {topic:String}
    AND log_id = {log_id:String}
    AND offset BETWEEN {first:UInt64} AND {last:UInt64}
    AND occurred_at >= {since:DateTime64(6, 'UTC')}
    AND occurred_at < {until:DateTime64(6, 'UTC')}
    AND (empty({words:Array(String)}) OR multiSearchAny(raw, {words:Array(String)}))
