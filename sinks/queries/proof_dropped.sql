-- What was last stated to be dropped of a log.
SELECT minimum_index, arrayMap(root -> hex(root), frontier) AS hashes
FROM {database:Identifier}.prunings
WHERE origin = {origin:String}
ORDER BY minimum_index DESC
LIMIT 1
