-- Leaf hashes of the events in two tiles of a log, and the event that is proven: it lies among its neighbours.
SELECT
    groupArray((toInt64(leaf_index), hex(leaf_hash))) AS leaves,
    groupArrayIf(
        (
            offset, timestamp_type, toUnixTimestamp64Milli(broker_time),
            if(isNull(key), NULL, hex(assumeNotNull(key))), hex(raw), hex(headers)
        ),
        leaf_index = {index:UInt64}
    ) AS records
FROM {database:Identifier}.events
WHERE log_id = {origin:String}
    AND (offset BETWEEN {low:UInt64} AND {high:UInt64} OR offset BETWEEN {low2:UInt64} AND {high2:UInt64})
