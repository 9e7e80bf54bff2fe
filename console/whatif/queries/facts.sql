-- What was said about the persons of one bucket of a log, oldest first: those of whom something of `kinds` was said, and
-- who have an activity among those a hypothesis may concern.
SELECT subject AS person, offset, raw
FROM {database:Identifier}.facts
WHERE topic = {topic:String}
    AND log_id = {log_id:String}
    AND cityHash64(subject) % {buckets:UInt32} = {bucket:UInt32}
    AND subject IN
    (
        SELECT subject
        FROM {database:Identifier}.facts
        WHERE topic = {topic:String} AND log_id = {log_id:String} AND kind IN {kinds:Array(String)}
    )
    AND subject IN
    (
        SELECT subject.pseudonym
        FROM {database:Identifier}.events
        WHERE topic = {topic:String}
            AND log_id = {log_id:String}
            AND offset BETWEEN {first:UInt64} AND {last:UInt64}
            AND occurred_at >= {since:DateTime64(6, 'UTC')}
            AND occurred_at < {until:DateTime64(6, 'UTC')}
            AND (
                empty({words:Array(String)})
                OR multiSearchAny(raw, arraySlice(arrayMap(word -> unhex(word), {words:Array(String)}), 1, 255))
                OR multiSearchAny(raw, arraySlice(arrayMap(word -> unhex(word), {words:Array(String)}), 256, 255))
                OR multiSearchAny(raw, arraySlice(arrayMap(word -> unhex(word), {words:Array(String)}), 511, 255))
                OR multiSearchAny(raw, arraySlice(arrayMap(word -> unhex(word), {words:Array(String)}), 766, 255))
            )
    )
ORDER BY subject, offset
