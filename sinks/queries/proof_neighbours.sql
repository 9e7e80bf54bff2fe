-- What stands among the events in a tile of a log: leaf hashes, and the fact that is proven, if it is one.
SELECT
    offset, leaf_hash, timestamp_type, toUnixTimestamp64Milli(broker_time) AS milliseconds,
    if(offset = {at:UInt64}, key, NULL) AS key_of_one,
    if(offset = {at:UInt64}, raw, '') AS value_of_one,
    if(offset = {at:UInt64}, headers, '') AS headers_of_one
FROM {database:Identifier}.facts
WHERE log_id = {origin:String} AND offset BETWEEN {low:UInt64} AND {high:UInt64}
UNION ALL
SELECT offset, leaf_hash, timestamp_type, 0, NULL, '', ''
FROM {database:Identifier}.heartbeats
WHERE log_id = {origin:String} AND offset BETWEEN {low:UInt64} AND {high:UInt64}
UNION ALL
SELECT offset, leaf_hash, timestamp_type, 0, NULL, '', ''
FROM {database:Identifier}.other_records
WHERE log_id = {origin:String} AND offset BETWEEN {low:UInt64} AND {high:UInt64}
