-- The bytes of one column in chosen rows.
SELECT {offset:Identifier} AS place, formatRow('RowBinary', {column:Identifier}) AS bytes
FROM {database:Identifier}.{table:Identifier}
WHERE log_id = {log_id:String} AND {offset:Identifier} IN {offsets:Array(UInt64)}
ORDER BY {offset:Identifier}
