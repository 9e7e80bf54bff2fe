-- Every checkpoint as its columns say it.
SELECT origin, size, root, note, base, meta_index, subtrees, sealed_at
FROM {database:Identifier}.checkpoints
WHERE log_offset >= {first:UInt64} AND log_offset < {end:UInt64}
ORDER BY log_id, log_offset
