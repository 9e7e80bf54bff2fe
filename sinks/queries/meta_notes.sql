-- The leaves of the meta log in a range, both ends included: notes of checkpoints and of statements. Each takes an offset
-- of its topic, so none lies below its own index.
SELECT meta_index, note
FROM {database:Identifier}.checkpoints
WHERE log_offset >= {low:Int64} AND meta_index BETWEEN {low:Int64} AND {high:Int64}
    AND splitByChar('/', origin)[3] = {cluster:String}
UNION ALL
SELECT meta_index, note
FROM {database:Identifier}.prunings
WHERE meta_index BETWEEN {low:Int64} AND {high:Int64} AND splitByChar('/', origin)[3] = {cluster:String}
