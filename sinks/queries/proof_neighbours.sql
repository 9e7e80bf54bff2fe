-- What stands among the events in two tiles of a log: leaf hashes, and the fact that is proven, if it is one.
SELECT
    groupArray((toInt64(leaf_index), hex(leaf_hash))) AS leaves,
    groupArrayIf(
        (
            offset, timestamp_type, toUnixTimestamp64Milli(broker_time),
            if(isNull(key), NULL, hex(assumeNotNull(key))), hex(raw), hex(headers)
        ),
        leaf_index = {index:UInt64}
    ) AS records
FROM {database:Identifier}.facts
WHERE log_id = {origin:String}
    AND (offset BETWEEN {low:UInt64} AND {high:UInt64} OR offset BETWEEN {low2:UInt64} AND {high2:UInt64})
UNION ALL
SELECT groupArray((toInt64(leaf_index), hex(leaf_hash))), []
FROM {database:Identifier}.heartbeats
WHERE log_id = {origin:String}
    AND (offset BETWEEN {low:UInt64} AND {high:UInt64} OR offset BETWEEN {low2:UInt64} AND {high2:UInt64})
UNION ALL
SELECT groupArray((toInt64(leaf_index), hex(leaf_hash))), []
FROM {database:Identifier}.other_records
WHERE log_id = {origin:String}
    AND (offset BETWEEN {low:UInt64} AND {high:UInt64} OR offset BETWEEN {low2:UInt64} AND {high2:UInt64})
