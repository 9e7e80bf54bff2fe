-- The activities of a page, with their bytes. Without words a hypothesis may concern any of them; they are hexadecimal, and
-- multiSearchAny takes 255 at once.
SELECT offset, toUnixTimestamp64Milli(broker_time) AS known_at, raw
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
