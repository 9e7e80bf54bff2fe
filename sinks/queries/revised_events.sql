-- Events of one log that facts about their persons may concern, after a place in the order of subject and offset:
-- they ended at or after the instant (microseconds since 1970) to which the facts about that person reach back, or
-- time alone may change how they are judged.
SELECT
    subject.pseudonym AS subject,
    offset,
    toUnixTimestamp64Milli(broker_time) AS known_at,
    hex(raw) AS raw_hex,
    offset IN
    (
        SELECT arrayJoin(deadlines.offset)
        FROM {database:Identifier}.judged
        WHERE topic_id = {topic_id:String} AND partition = {partition:Int64}
    ) AS dated
FROM {database:Identifier}.events
WHERE log_id = {log_id:String}
    AND offset < {last:UInt64}
    AND subject.pseudonym IN {subjects:Array(String)}
    AND (subject.pseudonym, offset) > ({after_subject:String}, {after_offset:Int64})
    AND
    (
        toUnixTimestamp64Micro(greatest(occurred_at, ifNull(ended_at, occurred_at)))
            >= transform(subject.pseudonym, {subjects:Array(String)}, {reaches_back_to:Array(Int64)}, toInt64(0))
        OR dated
    )
    AND offset NOT IN
    (
        SELECT offset
        FROM {database:Identifier}.dead_letters
        WHERE topic = {topic:String} AND partition = {partition:Int64} AND stage = 'screening'
    )
ORDER BY subject, offset
LIMIT {limit:UInt64}
