-- Leaf hashes that a proof needs, of two tiles of a log of events and of the tile of the schema, and with its own hash
-- the record that is proven: it lies among its neighbours.
SELECT
    log_id, toInt64(leaf_index) AS number, hex(leaf_hash) AS found,
    offset, timestamp_type, toUnixTimestamp64Milli(broker_time) AS milliseconds,
    if(leaf_index = {index:UInt64}, hex(key), NULL) AS key_hex,
    if(leaf_index = {index:UInt64}, hex(raw), '') AS value_hex,
    if(leaf_index = {index:UInt64}, hex(headers), '') AS headers_hex
FROM {database:Identifier}.events
WHERE log_id = {origin:String}
    AND (offset BETWEEN {low:UInt64} AND {high:UInt64} OR offset BETWEEN {low2:UInt64} AND {high2:UInt64})
UNION ALL
SELECT
    log_id, toInt64(leaf_index), hex(leaf_hash),
    offset, timestamp_type, toUnixTimestamp64Milli(broker_time),
    if(leaf_index = {index:UInt64}, hex(key), NULL),
    if(leaf_index = {index:UInt64}, hex(raw), ''),
    if(leaf_index = {index:UInt64}, hex(headers), '')
FROM {database:Identifier}.facts
WHERE log_id = {origin:String}
    AND (offset BETWEEN {low:UInt64} AND {high:UInt64} OR offset BETWEEN {low2:UInt64} AND {high2:UInt64})
UNION ALL
SELECT log_id, toInt64(leaf_index), hex(leaf_hash), offset, 0, 0, NULL, '', ''
FROM {database:Identifier}.other_records
WHERE log_id = {origin:String}
    AND (offset BETWEEN {low:UInt64} AND {high:UInt64} OR offset BETWEEN {low2:UInt64} AND {high2:UInt64})
UNION ALL
SELECT log_id, toInt64(leaf_index), hex(leaf_hash), offset, 0, 0, NULL, '', ''
FROM {database:Identifier}.schemas
WHERE log_id = {schema_origin:String} AND offset BETWEEN {schema_low:UInt64} AND {schema_high:UInt64}
