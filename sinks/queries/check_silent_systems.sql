-- Registered systems from which nothing came for longer than they may be silent: no event, no fact, no heartbeat.
WITH
    fromUnixTimestamp64Micro({now:Int64}, 'UTC') AS clock,
    systems AS
    (
        SELECT
            JSONExtractString(body, 'system') AS system,
            argMax(fact_id, broker_time) AS fact_id,
            argMax(JSONExtractString(body, 'max_silence'), broker_time) AS period,
            argMax(parseDateTime64BestEffortOrNull(JSONExtractString(body, 'valid_to'), 6, 'UTC'), broker_time) AS ends,
            min(toDateTime64(broker_time, 6, 'UTC')) AS registered_at
        FROM {database:Identifier}.references
        WHERE kind = 'SystemRegistered' AND upper(controller_id) = {controller:String} AND system != ''
        GROUP BY system
    ),
    heard AS
    (
        SELECT system, max(at) AS at
        FROM
        (
            SELECT source_system AS system, toDateTime64(max(broker_time), 6, 'UTC') AS at
            FROM {database:Identifier}.events
            WHERE topic = {topic:String} AND broker_time <= clock
            GROUP BY system
            UNION ALL
            SELECT source_system AS system, toDateTime64(max(broker_time), 6, 'UTC') AS at
            FROM {database:Identifier}.facts
            WHERE topic = {topic:String} AND broker_time <= clock
            GROUP BY system
        )
        GROUP BY system
    )
SELECT
    system AS about,
    '' AS subject,
    greatest(heard.at, registered_at)
        + toIntervalDay(toUInt32OrZero(extract(period, '^P(\\d+)D')))
        + toIntervalHour(toUInt32OrZero(extract(period, 'T(\\d+)H')))
        + toIntervalMinute(toUInt32OrZero(extract(period, 'T(?:\\d+H)?(\\d+)M')))
        + toIntervalSecond(toUInt32OrZero(extract(period, 'T(?:\\d+H)?(?:\\d+M)?(\\d+)S'))) AS since,
    [('SystemRegistered', system, fact_id)] AS facts
FROM systems
LEFT JOIN heard ON heard.system = systems.system
WHERE period != '' AND since <= clock AND (ends IS NULL OR clock < ends)
ORDER BY about
