-- The newest time stamps of each meta log.
SELECT
    origin,
    size,
    note,
    hex(assumeNotNull(token)) AS token
FROM {database:Identifier}.attestations
WHERE kind = 'TIMESTAMP'
ORDER BY origin, size DESC
LIMIT {limit:UInt64} BY origin
