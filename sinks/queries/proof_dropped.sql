-- What was last stated to be dropped of a log.
SELECT minimum_index, arrayStringConcat(frontier) AS hashes
FROM {database:Identifier}.prunings
WHERE origin = {origin:String}
ORDER BY minimum_index DESC
LIMIT 1
