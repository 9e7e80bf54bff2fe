-- What the trees of a proof need, in one answer: leaf hashes of two tiles of a log of events and of the tile of the
-- schema, the notes of two tiles of the meta log (level -1: still to be hashed), and subtrees.
SELECT {origin:String} AS origin, 0 AS level, toInt64(leaf_index) AS number, hex(leaf_hash) AS found
FROM
(
    SELECT leaf_index, leaf_hash FROM {database:Identifier}.events
    WHERE log_id = {origin:String}
        AND (offset BETWEEN {low:UInt64} AND {high:UInt64} OR offset BETWEEN {low2:UInt64} AND {high2:UInt64})
    UNION ALL
    SELECT leaf_index, leaf_hash FROM {database:Identifier}.facts
    WHERE log_id = {origin:String}
        AND (offset BETWEEN {low:UInt64} AND {high:UInt64} OR offset BETWEEN {low2:UInt64} AND {high2:UInt64})
    UNION ALL
    SELECT leaf_index, leaf_hash FROM {database:Identifier}.other_records
    WHERE log_id = {origin:String}
        AND (offset BETWEEN {low:UInt64} AND {high:UInt64} OR offset BETWEEN {low2:UInt64} AND {high2:UInt64})
)
UNION ALL
SELECT log_id, 0, toInt64(leaf_index), hex(leaf_hash)
FROM {database:Identifier}.schemas
WHERE log_id = {schema_origin:String} AND offset BETWEEN {schema_low:UInt64} AND {schema_high:UInt64}
UNION ALL
SELECT {meta_origin:String}, -1, meta_index, note
FROM {database:Identifier}.checkpoints
WHERE log_id = {meta_log:String} AND log_offset BETWEEN {meta_from:UInt64} AND {meta_until:UInt64}
    AND (meta_index BETWEEN {meta_low:Int64} AND {meta_high:Int64}
        OR meta_index BETWEEN {meta_low2:Int64} AND {meta_high2:Int64})
UNION ALL
SELECT origin, subtree.level, subtree.index, hex(subtree.hash)
FROM {database:Identifier}.checkpoints
ARRAY JOIN subtrees AS subtree
WHERE (origin = {origin:String} AND size BETWEEN 256 AND {size:Int64}
        OR origin = {meta_origin:String} AND size BETWEEN 256 AND {meta_size:Int64})
    AND top > 0
    AND (subtree.level > 8 OR subtree.index BETWEEN {tree_low:Int64} AND {tree_high:Int64}
        OR subtree.index BETWEEN {tree_low2:Int64} AND {tree_high2:Int64})
