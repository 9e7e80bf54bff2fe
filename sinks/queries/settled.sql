-- How much the trail holds of one log between two offsets, and up to where it was judged.
SELECT
(
    SELECT uniqExact(offset)
    FROM {database:Identifier}.log
    WHERE log_id = {log_id:String} AND offset BETWEEN {first:UInt64} AND {last:UInt64}
) AS held,
(
    SELECT max(last_offset)
    FROM {database:Identifier}.judged
    WHERE topic_id = {topic_id:String} AND partition = {partition:Int64}
) AS judged_until
