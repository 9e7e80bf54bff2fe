-- Roots of complete subtrees of a log and of the meta log: those of level 8 that were completed within some runs of
-- 65,536 leaves, which `runs` numbers, and all above.
SELECT origin, subtrees
FROM mergeTreeProjection({database:Identifier}, checkpoints, by_log)
WHERE origin IN ({origin:String}, {meta_origin:String}) AND size BETWEEN 256 AND {size:Int64}
    AND top >= 8 AND (top > 8 OR intDiv(size, 65536) IN {runs:Array(Int64)})
