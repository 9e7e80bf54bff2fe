-- The newest checkpoint of each meta log.
SELECT
    origin,
    max(size) AS newest,
    argMax(sealed_at, size) AS sealed_at
FROM {database:Identifier}.checkpoints
WHERE meta_index = -1
GROUP BY origin
ORDER BY origin
