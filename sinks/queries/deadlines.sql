-- Instants (milliseconds since 1970) at which time alone may change how something of a topic is judged, said in reports
-- beyond a place in the log of verdicts of each partition.
SELECT
    log_id,
    log_offset,
    partition,
    deadlines.offset AS offset,
    toUnixTimestamp64Milli(deadlines.at) AS at
FROM {database:Identifier}.judged
ARRAY JOIN deadlines
WHERE topic_id = {topic_id:String}
    AND log_offset > transform(log_id, {logs:Array(String)}, {seen:Array(Int64)}, toInt64(-1))
ORDER BY partition, offset, at
