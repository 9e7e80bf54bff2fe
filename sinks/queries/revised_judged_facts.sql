-- Facts of some kinds of one log, which are judged themselves, after an offset, said before a time.
SELECT
    subject,
    offset,
    toUnixTimestamp64Milli(broker_time) AS known_at,
    hex(raw) AS raw_hex,
    offset IN
    (
        SELECT arrayJoin(deadlines.offset)
        FROM {database:Identifier}.judged
        WHERE topic_id = {topic_id:String} AND partition = {partition:Int64}
    ) AS dated
FROM {database:Identifier}.facts
WHERE log_id = {log_id:String}
    AND offset > {after:Int64}
    AND toUnixTimestamp64Milli(broker_time) < {known_before:Int64}
    AND kind IN {kinds:Array(String)}
    AND offset NOT IN
    (
        SELECT offset
        FROM {database:Identifier}.dead_letters
        WHERE topic = {topic:String} AND partition = {partition:Int64} AND stage = 'screening'
    )
ORDER BY offset
LIMIT {limit:UInt64}
