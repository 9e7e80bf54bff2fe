-- The offsets held of a log at or above start, as runs: neighbours share offset minus row number.
SELECT min(offset) AS first, max(offset) AS last
FROM
(
    SELECT offset, offset - row_number() OVER (ORDER BY offset) AS run
    FROM
    (
        SELECT DISTINCT offset
        FROM {database:Identifier}.log
        WHERE log_id = {log_id:String} AND offset >= {start:UInt64}
    )
)
GROUP BY run
ORDER BY first
