-- How many activities there are in a share, by stretches of offsets.
SELECT intDiv(offset, {stretch:UInt32}) AS number, count() AS rows
FROM {database:Identifier}.events
WHERE topic = {topic:String}
    AND log_id = {log_id:String}
    AND offset BETWEEN {first:UInt64} AND {last:UInt64}
    AND occurred_at >= {since:DateTime64(6, 'UTC')}
    AND occurred_at < {until:DateTime64(6, 'UTC')}
    AND ({buckets:UInt32} = 1 OR cityHash64(subject.pseudonym) % {buckets:UInt32} = {bucket:UInt32})
GROUP BY number
ORDER BY number
