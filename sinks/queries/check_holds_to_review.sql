-- Legal holds that are open and whose review is overdue: nobody reviewed them since the day on which it was due.
WITH
    fromUnixTimestamp64Micro({now:Int64}, 'UTC') AS clock,
    holds AS
    (
        SELECT
            subject,
            JSONExtractString(body, 'hold_ref') AS hold_ref,
            argMax(fact_id, (broker_time, offset)) AS fact_id,
            argMax(parseDateTime64BestEffortOrNull(JSONExtractString(body, 'review_at'), 6, 'UTC'), (broker_time, offset)) AS review_at
        FROM {database:Identifier}.facts
        WHERE topic = {topic:String} AND kind = 'LegalHoldPlaced' AND hold_ref != ''
        GROUP BY subject, hold_ref
    ),
    reviewed AS
    (
        SELECT
            JSONExtractString(body, 'hold_ref') AS hold_ref,
            max(parseDateTime64BestEffortOrNull(JSONExtractString(body, 'reviewed_at'), 6, 'UTC')) AS reviewed_at
        FROM {database:Identifier}.facts
        WHERE topic = {topic:String} AND kind = 'LegalHoldReviewed'
        GROUP BY hold_ref
    )
SELECT
    holds.hold_ref AS about,
    subject,
    assumeNotNull(review_at) AS since,
    [('LegalHoldPlaced', about, fact_id)] AS facts
FROM holds
LEFT JOIN reviewed ON reviewed.hold_ref = holds.hold_ref
WHERE review_at <= clock
    AND ifNull(reviewed_at < review_at, 1)
    AND holds.hold_ref NOT IN
    (
        SELECT JSONExtractString(body, 'hold_ref')
        FROM {database:Identifier}.facts
        WHERE topic = {topic:String} AND kind = 'LegalHoldReleased'
    )
ORDER BY subject, about
