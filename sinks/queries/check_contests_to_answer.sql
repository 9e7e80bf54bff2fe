-- Refusals that somebody contested, or asked the reason of, and that nobody reviewed or discussed with them in time.
WITH
    fromUnixTimestamp64Micro({now:Int64}, 'UTC') AS clock,
    said AS
    (
        SELECT
            event_id,
            event_type,
            ifNull(request_type, '') AS asked,
            occurred_at AS at,
            subject.pseudonym AS whose,
            coalesce(case_ref, request_ref, '') AS about_what
        FROM {database:Identifier}.events
        WHERE topic = {topic:String} AND occurred_at <= clock AND outcome NOT IN ('DENIED', 'FAILED')
    )
SELECT
    asking.event_id AS about,
    any(asking.whose) AS subject,
    any(asking.at) + toIntervalDay({days:UInt32}) AS since,
    [('ContestReceived', about, about)] AS facts
FROM said AS asking
LEFT JOIN
(
    SELECT whose, about_what, at
    FROM said
    WHERE event_type IN ('HumanReviewCompleted', 'ReasonDiscussed')
) AS answer ON answer.whose = asking.whose
WHERE (asking.event_type = 'ContestReceived'
    OR (asking.event_type = 'RightsRequestReceived' AND asking.asked = 'HUMAN_REVIEW'))
GROUP BY about
HAVING since < clock
    AND countIf(
        answer.whose != '' AND answer.at >= asking.at AND answer.at <= asking.at + toIntervalDay({days:UInt32})
        AND (asking.about_what = '' OR answer.about_what IN ('', asking.about_what))
    ) = 0
ORDER BY subject, about
