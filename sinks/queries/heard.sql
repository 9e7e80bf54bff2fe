-- For each source what its heartbeats say. The newest is that which was said last, by the clock of the source.
SELECT
    topic,
    source,
    argMax(beat.source_system, (beat.at, beat.ended)) AS source_system,
    any(beat.source_instance) AS source_instance,
    min(beat.last_sequence) AS first_heard,
    max(beat.last_sequence) AS last_heard,
    maxOrNullIf(
        beat.last_sequence,
        toUnixTimestamp64Milli(beat.broker_time) <= transform(topic, {topics:Array(String)}, {settled:Array(Int64)}, {settled_else:Int64})
    ) AS settled,
    argMax(beat.ended, (beat.at, beat.ended)) AS ended,
    argMax(beat.last_sequence, (beat.at, beat.ended)) AS last_said,
    argMax(beat.period, (beat.at, beat.ended)) AS period,
    max(beat.broker_time) AS last_word
FROM {database:Identifier}.source_heartbeats AS beat
WHERE {only_topics:Array(String)} = [] OR has({only_topics:Array(String)}, topic)
GROUP BY topic, source
ORDER BY topic, source
