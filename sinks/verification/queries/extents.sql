-- What a table holds of each log.
SELECT
    log_id,
    {topic:Identifier} AS name,
    {partition:Identifier} AS number,
    count() AS rows,
    min({offset:Identifier}) AS low,
    max({offset:Identifier}) AS high,
    min(toInt64({offset:Identifier}) - toInt64(leaf_index)) AS base,
    sum(length(raw)) AS bytes
FROM {database:Identifier}.{table:Identifier}
GROUP BY log_id, name, number
ORDER BY log_id, name, number
