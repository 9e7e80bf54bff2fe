-- Answers with personal data that went to somebody of whom no question is registered.
WITH
    fromUnixTimestamp64Micro({now:Int64}, 'UTC') AS clock,
    said AS
    (
        SELECT
            event_id,
            event_type,
            occurred_at AS at,
            subject.pseudonym AS whose,
            ifNull(purpose, '') AS done_for,
            ifNull(direction, '') AS way,
            data_categories
        FROM {database:Identifier}.events
        WHERE topic = {topic:String} AND occurred_at <= clock AND outcome NOT IN ('DENIED', 'FAILED')
            AND ifNull(data_state, '') != 'ANONYMISED'
    ),
    asked AS
    (
        SELECT whose, at
        FROM said
        WHERE event_type = 'EnquiryRegistered'
        UNION ALL
        SELECT subject AS whose, parseDateTime64BestEffortOrNull(JSONExtractString(body, 'asked_at'), 6, 'UTC') AS at
        FROM {database:Identifier}.facts
        WHERE topic = {topic:String} AND kind = 'EnquiryRegistered'
    )
SELECT
    answer.event_id AS about,
    any(answer.whose) AS subject,
    any(answer.at) AS since,
    CAST([], 'Array(Tuple(String, String, String))') AS facts
FROM said AS answer
LEFT JOIN asked ON asked.whose = answer.whose
WHERE answer.event_type != 'EnquiryRegistered' AND answer.way = 'OUTBOUND' AND answer.done_for = 'COMMUNICATION'
    AND notEmpty(answer.data_categories)
GROUP BY about
HAVING countIf(asked.whose != '' AND ifNull(asked.at <= answer.at, 0)) = 0
ORDER BY subject, about
