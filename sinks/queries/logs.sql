-- For each log: what is held, and how often an offset stands more than once. `standing` counts the offsets that no
-- statement of retention covers.
WITH
    (
        SELECT mapFromArrays(groupArray(origin), groupArray(below))
        FROM (SELECT origin, toUInt64(max(minimum_offset)) AS below FROM {database:Identifier}.prunings GROUP BY origin)
    ) AS dropped
SELECT
    log_id,
    any(topic) AS topic,
    any(partition) AS partition,
    count() AS rows,
    groupBitmap(offset) AS distinct_offsets,
    groupBitmapIf(offset, offset >= dropped[log_id]) AS standing,
    min(offset) AS first,
    max(offset) AS last,
    countIf(reason != '') AS unreadable
FROM {database:Identifier}.log
GROUP BY log_id
ORDER BY topic, partition, log_id
