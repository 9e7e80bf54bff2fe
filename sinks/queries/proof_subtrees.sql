-- What a proof needs of the checkpoints: the notes of two tiles of the meta log (level -1: still to be hashed), and the
-- roots of subtrees of both logs.
SELECT {meta_origin:String} AS origin, -1 AS level, meta_index AS number, note AS found
FROM {database:Identifier}.checkpoints
WHERE log_id = {meta_log:String}
    AND (log_offset BETWEEN {meta_from:UInt64} AND {meta_until:UInt64}
        OR log_offset BETWEEN {schema_from:UInt64} AND {schema_until:UInt64})
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
