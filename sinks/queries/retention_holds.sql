-- The open legal holds of a controller, and for each topic the first month in which something is held: whatever is
-- keyed by the person, judged about the person, or about the record that the hold names. A release counts from when it
-- says, and not when another fact corrects it.
WITH
    placed AS
    (
        SELECT
            subject,
            if(JSONExtractString(body, 'hold_ref') = '', fact_id, JSONExtractString(body, 'hold_ref')) AS hold_ref,
            JSONExtractString(body, 'record_id') AS record_id
        FROM {database:Identifier}.facts
        WHERE kind = 'LegalHoldPlaced' AND topic IN {topics:Array(String)}
    ),
    corrected AS
    (
        SELECT JSONExtractString(body, 'corrects') AS fact_id
        FROM {database:Identifier}.facts
        WHERE topic IN {topics:Array(String)} AND kind = 'LegalHoldReleased'
    ),
    released AS
    (
        SELECT subject, JSONExtractString(body, 'hold_ref') AS hold_ref
        FROM {database:Identifier}.facts
        WHERE kind = 'LegalHoldReleased' AND topic IN {topics:Array(String)}
            AND fact_id NOT IN (SELECT fact_id FROM corrected)
            AND ifNull(parseDateTime64BestEffortOrNull(JSONExtractString(body, 'released_at'), 6, 'UTC'), recorded_at)
                <= fromUnixTimestamp64Milli({now:Int64}, 'UTC')
    ),
    open AS (SELECT * FROM placed WHERE (subject, hold_ref) NOT IN (SELECT subject, hold_ref FROM released))
SELECT topic, hold_ref, min(month) AS first_month
FROM
(
    SELECT log.topic AS topic, open.hold_ref AS hold_ref, toYYYYMM(log.broker_time) AS month
    FROM {database:Identifier}.log AS log
    INNER JOIN open ON open.subject = log.key
    WHERE log.topic IN {topics:Array(String)}
    UNION ALL
    SELECT verdicts.log_topic AS topic, open.hold_ref AS hold_ref, toYYYYMM(verdicts.broker_time) AS month
    FROM {database:Identifier}.verdicts AS verdicts
    INNER JOIN open ON open.subject = verdicts.subject
    WHERE verdicts.log_topic IN {topics:Array(String)}
    UNION ALL
    SELECT events.topic AS topic, open.hold_ref AS hold_ref, toYYYYMM(events.broker_time) AS month
    FROM {database:Identifier}.events AS events
    INNER JOIN open ON open.record_id = tupleElement(events.record, 'record_id')
    WHERE events.topic IN {topics:Array(String)} AND open.record_id != ''
)
GROUP BY topic, hold_ref
ORDER BY topic, first_month, hold_ref
