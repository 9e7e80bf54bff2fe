-- For each log: what is held, and how often an offset stands more than once.
SELECT
    log_id,
    any(topic) AS topic,
    any(partition) AS partition,
    count() AS rows,
    groupBitmap(offset) AS distinct_offsets,
    min(offset) AS first,
    max(offset) AS last,
    countIf(reason != '') AS unreadable
FROM {database:Identifier}.log
GROUP BY log_id
ORDER BY topic, partition, log_id
