-- The statements that the trail holds of some logs, and how far it holds the topic they stand on.
SELECT
    origin, minimum_index, minimum_offset, size, hex(root) AS root_hex,
    arrayMap(one -> hex(one), frontier) AS frontier_hex, reason, approver, note
FROM {database:Identifier}.prunings
WHERE origin IN {origins:Array(String)}
ORDER BY origin, minimum_index
