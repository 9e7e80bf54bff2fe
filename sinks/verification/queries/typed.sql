-- The typed columns of a part of a log, as one run of bytes; rows of one schema stand together.
SELECT {columns}
FROM {database:Identifier}.{table:Identifier}
WHERE log_id = {log_id:String} AND {offset:Identifier} >= {first:UInt64} AND {offset:Identifier} < {end:UInt64}
ORDER BY schema_fingerprint, {offset:Identifier}
