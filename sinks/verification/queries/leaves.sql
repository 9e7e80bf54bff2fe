-- The rows of a part of a log with all that its leaves are made of.
SELECT
    {offset:Identifier} AS place,
    leaf_index AS number,
    toUnixTimestamp64Milli(broker_time) AS time,
    timestamp_type AS kind,
    {key:Identifier} AS name,
    raw AS value,
    {headers:Identifier} AS head,
    leaf_hash AS hash
FROM {database:Identifier}.{table:Identifier}
WHERE log_id = {log_id:String} AND {offset:Identifier} >= {first:UInt64} AND {offset:Identifier} < {end:UInt64}
ORDER BY {offset:Identifier}
