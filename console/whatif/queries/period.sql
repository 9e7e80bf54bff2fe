-- Which logs have activities of the controller within the period, from which offset to which, and how many.
SELECT log_id, min(offset) AS first, max(offset) AS last, count() AS rows
FROM {database:Identifier}.events
WHERE topic = {topic:String} AND occurred_at >= {since:DateTime64(6, 'UTC')} AND occurred_at < {until:DateTime64(6, 'UTC')}
GROUP BY log_id
ORDER BY log_id
