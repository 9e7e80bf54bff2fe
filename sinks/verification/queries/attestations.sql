SELECT origin, size, kind, note, token
FROM {database:Identifier}.attestations
ORDER BY log_id, log_offset
