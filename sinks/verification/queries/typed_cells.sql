-- The bytes of each column on its own, in chosen rows.
SELECT {offset:Identifier} AS place, [{cells}] AS cells
FROM {database:Identifier}.{table:Identifier}
WHERE log_id = {log_id:String} AND {offset:Identifier} IN {offsets:Array(UInt64)}
ORDER BY {offset:Identifier}
