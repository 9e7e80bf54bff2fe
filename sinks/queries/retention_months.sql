-- What the trail holds of some topics: for each log and month its records, the tables they are in, and their places.
SELECT
    topic,
    log_id,
    toYYYYMM(broker_time) AS month,
    arraySort(groupUniqArray(kept_in)) AS tables,
    uniqExact(leaf_index) AS records,
    toInt64(min(leaf_index)) AS first,
    toInt64(max(leaf_index)) AS last,
    toInt64(any(offset)) - toInt64(any(leaf_index)) AS base
FROM {database:Identifier}.log
WHERE topic IN {topics:Array(String)}
GROUP BY topic, log_id, month
ORDER BY topic, log_id, month
