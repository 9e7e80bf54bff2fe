-- What the trees of a record's log, of its schema's log and of the meta log need, in one answer: leaf hashes of the two
-- tiles of a log of events, of the schemas', the notes of two tiles of the meta log, and subtrees. Places are offsets
-- where leaves are asked for; level -1 marks a note, which is still to be hashed. What lies in other tables is asked
-- for apart.
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
WHERE (if(meta_index < 0, size, meta_index) BETWEEN {meta_low:Int64} AND {meta_high:Int64}
        OR if(meta_index < 0, size, meta_index) BETWEEN {meta_low2:Int64} AND {meta_high2:Int64})
    AND meta_index >= 0
    AND splitByChar('/', origin)[3] = {cluster:String}
UNION ALL
SELECT origin, subtree.level, subtree.index, hex(subtree.hash)
FROM {database:Identifier}.checkpoints
ARRAY JOIN subtrees AS subtree
WHERE (origin = {origin:String} AND size BETWEEN 256 AND {size:Int64}
        OR origin = {meta_origin:String} AND size BETWEEN 256 AND {meta_size:Int64})
    AND top > 0
    AND (subtree.level > 8 OR subtree.index BETWEEN {tree_low:Int64} AND {tree_high:Int64}
        OR subtree.index BETWEEN {tree_low2:Int64} AND {tree_high2:Int64})
