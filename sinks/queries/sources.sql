-- For each source that numbers what it says: its numbers, and the highest of those that are old enough to be judged.
SELECT
    topic,
    source,
    any(source_system) AS source_system,
    any(source_instance) AS source_instance,
    count() AS records,
    min(number) AS first,
    max(number) AS last,
    groupBitmap(reinterpretAsUInt64(number)) AS distinct_numbers,
    maxOrNullIf(
        number,
        toUnixTimestamp64Milli(broker_time) <= transform(topic, {topics:Array(String)}, {settled:Array(Int64)}, {settled_else:Int64})
    ) AS settled,
    max(broker_time) AS last_word
FROM {database:Identifier}.numbered
WHERE {only_topics:Array(String)} = [] OR has({only_topics:Array(String)}, topic)
GROUP BY topic, source
ORDER BY topic, source
