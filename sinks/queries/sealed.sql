-- The newest checkpoint of each log, as the trail has it.
SELECT origin, max(size) AS size, any(base) AS base
FROM {database:Identifier}.checkpoints
GROUP BY origin
