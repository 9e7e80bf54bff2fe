-- What one log knew of some persons up to an offset: facts, and activities that amount to one; `dated` when time alone
-- may change how a fact is judged. What the screening refused is left out.
WITH
    refused AS
    (
        SELECT offset
        FROM {database:Identifier}.dead_letters
        WHERE topic = {topic:String} AND partition = {partition:Int64} AND stage = 'screening'
    ),
    dated AS
    (
        SELECT arrayJoin(deadlines.offset)
        FROM {database:Identifier}.judged
        WHERE topic_id = {topic_id:String} AND partition = {partition:Int64}
    )
SELECT *
FROM
(
    SELECT
        subject,
        offset,
        toUnixTimestamp64Milli(broker_time) AS known_at,
        hex(raw) AS raw_hex,
        offset IN (dated) AS dated
    FROM {database:Identifier}.facts
    WHERE log_id = {log_id:String} AND offset <= {last:UInt64} AND subject IN {subjects:Array(String)} AND offset NOT IN (refused)
    UNION ALL
    SELECT
        subject.pseudonym AS subject,
        offset,
        toUnixTimestamp64Milli(broker_time) AS known_at,
        hex(raw) AS raw_hex,
        false AS dated
    FROM {database:Identifier}.events
    WHERE log_id = {log_id:String} AND offset <= {last:UInt64} AND subject.pseudonym IN {subjects:Array(String)}
        AND event_type IN {remembered:Array(String)} AND offset NOT IN (refused)
)
ORDER BY offset
