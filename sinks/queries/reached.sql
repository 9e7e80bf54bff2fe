-- How far the trail has come with each partition of a topic.
SELECT log_id, max(offset) AS last
FROM {database:Identifier}.log
WHERE topic = {topic:String}
GROUP BY log_id
