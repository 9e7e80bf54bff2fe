-- What is missing between the numbers held of each source, up to the highest that is old enough to be judged.
WITH
    incomplete AS
    (
        SELECT topic, source
        FROM {database:Identifier}.numbered
        WHERE {only_topics:Array(String)} = [] OR has({only_topics:Array(String)}, topic)
        GROUP BY topic, source
        HAVING groupBitmap(reinterpretAsUInt64(number)) < max(number) - min(number) + 1
    ),
    known AS
    (
        SELECT topic, source, broker_time, number
        FROM {database:Identifier}.numbered
        UNION ALL
        SELECT topic, source, broker_time, last_sequence AS number
        FROM {database:Identifier}.source_heartbeats
    ),
    judged AS
    (
        SELECT topic, source, max(number) AS upto
        FROM known
        WHERE toUnixTimestamp64Milli(broker_time) <= transform(topic, {topics:Array(String)}, {settled:Array(Int64)}, {settled_else:Int64})
        GROUP BY topic, source
    )
SELECT
    topic,
    source,
    arraySort(groupArray({limit:UInt64})((first, least(last, upto)))) AS runs,
    count() AS gaps,
    sum(least(last, upto) - first + 1) AS missing
FROM
(
    SELECT topic, source, number + 1 AS first, following - 1 AS last
    FROM
    (
        SELECT
            topic,
            source,
            number,
            leadInFrame(number, 1, number) OVER (
                PARTITION BY topic, source ORDER BY number ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING
            ) AS following
        FROM {database:Identifier}.numbered
        WHERE (topic, source) IN (SELECT topic, source FROM incomplete)
    )
    WHERE following > number + 1
    ORDER BY topic, source, first
) AS gap
INNER JOIN judged USING (topic, source)
WHERE first <= upto
GROUP BY topic, source
