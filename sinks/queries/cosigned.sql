-- The newest sizes of each meta log that so many of these witnesses are said to have cosigned.
SELECT
    origin,
    size,
    groupArray(note) AS notes
FROM {database:Identifier}.attestations
WHERE kind = 'COSIGNATURE' AND by IN {names:Array(String)}
GROUP BY origin, size
HAVING uniqExact(by) >= {quorum:UInt64}
ORDER BY origin, size DESC
LIMIT {limit:UInt64} BY origin
