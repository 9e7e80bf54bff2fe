-- Everything that carries a number of its source. What cannot be read arrived nevertheless: its headers say who said
-- it and as which number (docs/design/leaf.md: length, big-endian, then value).
CREATE VIEW IF NOT EXISTS {database:Identifier}.numbered AS
SELECT
    topic,
    broker_time,
    source_system,
    source_instance,
    assumeNotNull(source_sequence) AS number,
    if(endsWith(source_instance, concat('/', topic)), source_instance, concat(source_system, '/', source_instance)) AS source
FROM
(
    SELECT topic, broker_time, source_system, source_instance, source_sequence
    FROM {database:Identifier}.events
    UNION ALL
    SELECT topic, broker_time, source_system, source_instance, source_sequence
    FROM {database:Identifier}.facts
    UNION ALL
    SELECT topic, broker_time, source_system, source_instance, source_sequence
    FROM {database:Identifier}.references
    UNION ALL
    SELECT
        topic,
        broker_time,
        if(endsWith(said, concat('/', topic)), arrayStringConcat(arraySlice(splitByChar('/', said), 1, -2), '/'), splitByChar('/', said)[1]) AS source_system,
        if(endsWith(said, concat('/', topic)), arrayStringConcat(arraySlice(splitByChar('/', said), -2), '/'), arrayStringConcat(arraySlice(splitByChar('/', said), 2), '/')) AS source_instance,
        toInt64OrNull(as_number) AS source_sequence
    FROM
    (
        SELECT
            topic,
            broker_time,
            position(headers, 'ce_source') AS source_at,
            position(headers, 'ce_sequence') AS number_at,
            substring(headers, source_at + 13, reinterpretAsUInt32(reverse(substring(headers, source_at + 9, 4)))) AS said,
            substring(headers, number_at + 15, reinterpretAsUInt32(reverse(substring(headers, number_at + 11, 4)))) AS as_number
        FROM {database:Identifier}.other_records
        WHERE source_at > 0 AND number_at > 0 AND position(headers, 'inzage_replay_of') = 0
    )
)
WHERE source_sequence IS NOT NULL
