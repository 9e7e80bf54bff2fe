-- What stands of one block after its insert was acknowledged.
SELECT count() AS rows, uniqExact({offset:Identifier}) AS distinct_offsets
FROM {database:Identifier}.{table:Identifier}
WHERE log_id = {log_id:String}
    AND {offset:Identifier} BETWEEN {first:UInt64} AND {last:UInt64}
    AND block = unhex({mark:String})
