-- What stands around two checkpoints on the topic of checkpoints: notes that are leaves of the meta log, its own
-- checkpoints (-1) after one of the two, and what was first attested of those and of later ones (-2). What is attested
-- of a checkpoint is said on the same topic, after it: so of years of attestations only the next are read.
SELECT meta_index, size, note, NULL AS token, log_offset
FROM {database:Identifier}.checkpoints
WHERE log_id = {kept_in:String}
    AND (log_offset BETWEEN {from:UInt64} AND {until:UInt64} OR log_offset BETWEEN {from2:UInt64} AND {until2:UInt64})
    AND (meta_index BETWEEN {first:Int64} AND {last:Int64} OR meta_index BETWEEN {first2:Int64} AND {last2:Int64}
        OR meta_index < 0 AND log_offset > {after:UInt64})
UNION ALL
(
    SELECT -2, size, note, token, log_offset
    FROM {database:Identifier}.attestations
    WHERE log_id = {kept_in:String} AND log_offset > {after:UInt64}
        AND origin = {meta_origin:String} AND size > {above:Int64}
    ORDER BY log_offset
    LIMIT 1000
)
