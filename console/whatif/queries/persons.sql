-- How many persons of each log something of `kinds` was said about.
SELECT log_id, uniqExact(subject) AS persons
FROM {database:Identifier}.facts
WHERE topic = {topic:String} AND kind IN {kinds:Array(String)}
GROUP BY log_id
