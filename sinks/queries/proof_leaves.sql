-- Leaf hashes of the events in a tile of a log, and the event that is proven: it lies among its neighbours, whose
-- bytes are not sent. Few rows of a granule are in a tile, so the other columns are read for those alone.
SELECT
    offset, leaf_hash, timestamp_type, toUnixTimestamp64Milli(broker_time) AS milliseconds,
    if(offset = {at:UInt64}, key, NULL) AS key_of_one,
    if(offset = {at:UInt64}, raw, '') AS value_of_one,
    if(offset = {at:UInt64}, headers, '') AS headers_of_one
FROM {database:Identifier}.events
PREWHERE offset BETWEEN {low:UInt64} AND {high:UInt64}
WHERE log_id = {origin:String}
