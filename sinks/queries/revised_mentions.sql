-- Events and facts of one log that a reference may concern, after an offset: said before it was known, ended since what
-- it speaks of began or dated, and in the words of the event, or in what was said about the person, it is named.
WITH
    named AS
    (
        SELECT DISTINCT subject
        FROM {database:Identifier}.facts
        WHERE log_id = {log_id:String} AND multiSearchAny(raw, {words:Array(String)})
    ),
    dated AS
    (
        SELECT arrayJoin(deadlines.offset)
        FROM {database:Identifier}.judged
        WHERE topic_id = {topic_id:String} AND partition = {partition:Int64}
    ),
    refused AS
    (
        SELECT offset
        FROM {database:Identifier}.dead_letters
        WHERE topic = {topic:String} AND partition = {partition:Int64} AND stage = 'screening'
    )
SELECT
    subject.pseudonym AS subject,
    offset,
    toUnixTimestamp64Milli(broker_time) AS known_at,
    hex(raw) AS raw_hex,
    offset IN (dated) AS dated
FROM {database:Identifier}.events
WHERE log_id = {log_id:String}
    AND offset > {after:Int64}
    AND toUnixTimestamp64Milli(broker_time) < {known_before:Int64}
    AND (toUnixTimestamp64Micro(greatest(occurred_at, ifNull(ended_at, occurred_at))) >= {since:Int64} OR dated)
    AND (empty({words:Array(String)}) OR multiSearchAny(raw, {words:Array(String)}) OR subject.pseudonym IN (named))
    AND offset NOT IN (refused)
ORDER BY offset
LIMIT {limit:UInt64}
