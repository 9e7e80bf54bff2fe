-- The roots of complete subtrees of one level of a log, by their numbers, both ends included.
SELECT subtree.index AS number, hex(subtree.hash) AS hash
FROM {database:Identifier}.checkpoints
ARRAY JOIN subtrees AS subtree
WHERE origin = {origin:String} AND size BETWEEN {above:Int64} AND {below:Int64} AND top >= {level:Int64}
    AND subtree.level = {level:Int64} AND subtree.index BETWEEN {first:Int64} AND {last:Int64}
