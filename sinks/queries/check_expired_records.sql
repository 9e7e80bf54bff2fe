-- Records whose period ended longer ago than the grace, and that were neither erased nor anonymised: no hold is open,
-- and nothing lets them be kept longer. A day without a time ends at the midnight that follows it, in Brussels.
WITH
    fromUnixTimestamp64Micro({now:Int64}, 'UTC') AS clock,
    records AS
    (
        SELECT
            subject,
            JSONExtractString(body, 'record_id') AS record_id,
            argMax(fact_id, (broker_time, offset)) AS fact_id,
            argMax(JSONExtractString(body, 'retention_until'), (broker_time, offset)) AS stated,
            argMax(JSONExtractString(body, 'state'), (broker_time, offset)) AS state
        FROM {database:Identifier}.facts
        WHERE topic = {topic:String} AND kind = 'RecordRegistered' AND record_id != ''
        GROUP BY subject, record_id
    ),
    disposed AS
    (
        SELECT subject, JSONExtractString(body, 'record_id') AS record_id
        FROM {database:Identifier}.facts
        WHERE topic = {topic:String} AND kind IN ('DataErased', 'DataAnonymised')
        UNION DISTINCT
        SELECT subject.pseudonym, tupleElement(assumeNotNull(record), 'record_id') AS record_id
        FROM {database:Identifier}.events
        WHERE topic = {topic:String} AND event_type IN ('DataErased', 'DataAnonymised') AND outcome NOT IN ('DENIED', 'FAILED')
    ),
    held AS
    (
        SELECT subject, JSONExtractString(body, 'record_id') AS record_id
        FROM {database:Identifier}.facts
        WHERE topic = {topic:String}
            AND kind = 'LegalHoldPlaced'
            AND JSONExtractString(body, 'hold_ref') NOT IN
            (
                SELECT JSONExtractString(body, 'hold_ref')
                FROM {database:Identifier}.facts
                WHERE topic = {topic:String} AND kind = 'LegalHoldReleased'
            )
    ),
    kept_longer AS
    (
        SELECT JSONExtractString(body, 'record_id')
        FROM {database:Identifier}.references
        WHERE kind = 'RetentionOverrideSet' AND upper(controller_id) = {controller:String}
    ),
    ended AS
    (
        SELECT
            *,
            if(
                length(stated) = 10,
                toDateTime64(toDateTime64(toDate32OrNull(stated) + 1, 6, 'Europe/Brussels'), 6, 'UTC'),
                parseDateTime64BestEffortOrNull(stated, 6, 'UTC')
            ) AS until
        FROM records
    )
SELECT
    record_id AS about,
    subject,
    until + toIntervalHour({grace_hours:UInt32}) AS since,
    [('RecordRegistered', record_id, fact_id)] AS facts
FROM ended
WHERE since <= clock
    AND state NOT IN ('ERASED', 'ANONYMISED')
    AND (subject, record_id) NOT IN (disposed)
    AND (subject, record_id) NOT IN (held)
    AND (subject, '') NOT IN (held)
    AND record_id NOT IN (kept_longer)
ORDER BY subject, about
