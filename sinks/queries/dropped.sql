-- The offset below which each log was stated to be dropped.
SELECT origin, max(minimum_offset) AS below
FROM {database:Identifier}.prunings
GROUP BY origin
