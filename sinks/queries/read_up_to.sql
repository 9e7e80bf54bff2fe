-- How far the trail got with each of some logs: its highest offset and the broker time of its newest record.
SELECT log_id, max(offset) AS last, max(broker_time) AS at
FROM {database:Identifier}.log
WHERE has({log_ids:Array(String)}, log_id)
GROUP BY log_id
