-- The next activities of a log that a hypothesis may concern, of the persons of one bucket: each as the header and the
-- datum of what was said (schemas/framing.py). Without words it may concern any of them; they are hexadecimal, and
-- multiSearchAny takes 255 at once.
WITH if(startsWith(raw, '\0'), 5, 10) AS size
SELECT
    offset,
    toUnixTimestamp64Milli(broker_time) AS known_at,
    left(raw, size) AS header,
    substring(raw, size + 1) AS datum
FROM {database:Identifier}.events
WHERE topic = {topic:String}
    AND log_id = {log_id:String}
    AND offset BETWEEN {first:UInt64} AND {last:UInt64}
    AND occurred_at >= {since:DateTime64(6, 'UTC')}
    AND occurred_at < {until:DateTime64(6, 'UTC')}
    AND ({buckets:UInt32} = 1 OR cityHash64(subject.pseudonym) % {buckets:UInt32} = {bucket:UInt32})
    AND (
        empty({words:Array(String)})
        OR multiSearchAny(raw, arraySlice(arrayMap(word -> unhex(word), {words:Array(String)}), 1, 255))
        OR multiSearchAny(raw, arraySlice(arrayMap(word -> unhex(word), {words:Array(String)}), 256, 255))
        OR multiSearchAny(raw, arraySlice(arrayMap(word -> unhex(word), {words:Array(String)}), 511, 255))
        OR multiSearchAny(raw, arraySlice(arrayMap(word -> unhex(word), {words:Array(String)}), 766, 255))
    )
ORDER BY offset
LIMIT {most:UInt32}
