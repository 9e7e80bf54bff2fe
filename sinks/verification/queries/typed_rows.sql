-- The same, each row's bytes on their own.
SELECT {offset:Identifier} AS place, formatRow('RowBinary', {columns}) AS bytes
FROM {database:Identifier}.{table:Identifier}
WHERE log_id = {log_id:String} AND {offset:Identifier} >= {first:UInt64} AND {offset:Identifier} < {end:UInt64}
ORDER BY {offset:Identifier}
