-- Events and facts of one log by offset.
SELECT *
FROM
(
    SELECT subject.pseudonym AS subject, offset, toUnixTimestamp64Milli(broker_time) AS known_at, hex(raw) AS raw_hex, true AS dated
    FROM {database:Identifier}.events
    WHERE log_id = {log_id:String} AND offset IN {offsets:Array(UInt64)}
    UNION ALL
    SELECT subject, offset, toUnixTimestamp64Milli(broker_time) AS known_at, hex(raw) AS raw_hex, true AS dated
    FROM {database:Identifier}.facts
    WHERE log_id = {log_id:String} AND offset IN {offsets:Array(UInt64)}
)
ORDER BY offset
