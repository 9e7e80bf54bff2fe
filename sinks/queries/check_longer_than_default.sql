-- Records kept longer than the default period after cover ended, by the calendar, without an override that somebody
-- approved with a reason.
WITH
    ended AS
    (
        SELECT
            subject,
            max(parseDateTime64BestEffortOrNull(JSONExtractString(body, 'terminated_at'), 6, 'UTC')) AS terminated_at
        FROM {database:Identifier}.facts
        WHERE topic = {topic:String} AND kind = 'CoverTerminated'
        GROUP BY subject
    ),
    records AS
    (
        SELECT
            subject,
            JSONExtractString(body, 'record_id') AS record_id,
            argMax(fact_id, (broker_time, offset)) AS fact_id,
            argMax(JSONExtractString(body, 'retention_until'), (broker_time, offset)) AS stated,
            max(broker_time) AS registered_at
        FROM {database:Identifier}.facts
        WHERE topic = {topic:String} AND kind = 'RecordRegistered' AND record_id != ''
        GROUP BY subject, record_id
    ),
    kept_longer AS
    (
        SELECT JSONExtractString(body, 'record_id')
        FROM {database:Identifier}.references
        WHERE kind = 'RetentionOverrideSet'
            AND upper(controller_id) = {controller:String}
            AND JSONExtractString(body, 'approver') != ''
            AND JSONExtractString(body, 'reason') != ''
    )
SELECT
    record_id AS about,
    records.subject AS subject,
    toDateTime64(registered_at, 6, 'UTC') AS since,
    [('RecordRegistered', record_id, fact_id)] AS facts
FROM records
INNER JOIN ended ON ended.subject = records.subject
WHERE registered_at <= fromUnixTimestamp64Micro({now:Int64}, 'UTC')
    AND record_id NOT IN (kept_longer)
    AND if(
        length(stated) = 10,
        toDate32OrNull(stated) > toDate32(toTimeZone(terminated_at, 'Europe/Brussels')) + toIntervalYear({years:UInt32}),
        toTimeZone(parseDateTime64BestEffortOrNull(stated, 6, 'UTC'), 'Europe/Brussels')
            > toTimeZone(terminated_at, 'Europe/Brussels') + toIntervalYear({years:UInt32})
    )
ORDER BY subject, about
