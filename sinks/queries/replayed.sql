-- Dead letters that were put back, by the header that the replay added (docs/design/leaf.md: name, length, value).
SELECT DISTINCT extract(headers, concat('(?s)', {header:String}, '.{4}([0-9a-f]{64})')) AS dead_letter_id
FROM {database:Identifier}.log
WHERE position(headers, {header:String}) > 0
