-- What was said about persons, oldest first.
SELECT subject AS person, offset, raw
FROM {database:Identifier}.facts
WHERE topic = {topic:String} AND log_id = {log_id:String} AND subject IN {persons:Array(String)}
ORDER BY subject, offset
