-- The activities of a page, as columns of the engine, in no order.
SELECT /* columns */
FROM {database:Identifier}.events
WHERE topic = {topic:String}
    AND log_id = {log_id:String}
    AND offset BETWEEN {first:UInt64} AND {last:UInt64}
    AND occurred_at >= {since:DateTime64(6, 'UTC')}
    AND occurred_at < {until:DateTime64(6, 'UTC')}
    AND ({buckets:UInt32} = 1 OR cityHash64(subject.pseudonym) % {buckets:UInt32} = {bucket:UInt32})
