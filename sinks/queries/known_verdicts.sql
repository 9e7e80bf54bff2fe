-- Which of some revisions the trail has.
SELECT DISTINCT verdict_id
FROM {database:Identifier}.verdicts
WHERE log_topic = {topic:String} AND revision > 0 AND verdict_id IN {identifiers:Array(String)}
