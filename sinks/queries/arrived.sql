-- What stands of one block after its insert was acknowledged, and whether another block brought the same offsets.
SELECT countIf(block = unhex({mark:String})) AS rows, count() - uniqExact({offset:Identifier}) AS repeated
FROM {database:Identifier}.{table:Identifier}
WHERE log_id = {log_id:String} AND {offset:Identifier} BETWEEN {first:UInt64} AND {last:UInt64}
