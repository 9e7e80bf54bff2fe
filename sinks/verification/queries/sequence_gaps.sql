-- Numbers that a source gave out and that stand in no row, in runs; `newest` is its last number that stands.
SELECT name, instance, last_before + 1 AS first_missing, number - 1 AS last_missing
FROM
(
    SELECT
        name,
        instance,
        number,
        lagInFrame(number, 1, toInt64(0)) OVER (
            PARTITION BY name, instance ORDER BY number ROWS BETWEEN 1 PRECEDING AND CURRENT ROW
        ) AS last_before
    FROM
    (
        SELECT topic AS name, source_instance AS instance, assumeNotNull(source_sequence) AS number
        FROM {database:Identifier}.events
        WHERE source_sequence IS NOT NULL
        UNION DISTINCT
        SELECT
            topic AS name,
            JSONExtractString(body, 'source_instance') AS instance,
            JSONExtractInt(body, 'source_sequence') AS number
        FROM {database:Identifier}.facts
        WHERE JSONHas(body, 'source_sequence')
        UNION DISTINCT
        SELECT
            topic AS name,
            JSONExtractString(body, 'source_instance') AS instance,
            JSONExtractInt(body, 'source_sequence') AS number
        FROM {database:Identifier}.references
        WHERE JSONHas(body, 'source_sequence')
    )
)
WHERE number > last_before + 1
ORDER BY name, instance, number
