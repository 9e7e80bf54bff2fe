-- Who had an item before it was rectified and was not told in time. Recipients that somebody listed as to be told are
-- left to the rule on those; so are those whom it would take a disproportionate effort to tell.
WITH
    fromUnixTimestamp64Micro({now:Int64}, 'UTC') AS clock,
    own AS
    (
        SELECT JSONExtractString(body, 'org_id')
        FROM {database:Identifier}.references
        WHERE kind = 'OrganisationRegistered' AND upper(controller_id) = {controller:String}
            AND JSONExtractBool(body, 'own_organisation')
    ),
    said AS
    (
        SELECT
            event_id,
            event_type,
            occurred_at,
            subject.pseudonym AS whose,
            arrayConcat(arrayMap(item -> toString(item), data_items), other_data_items) AS items,
            ifNull(tupleElement(recipient, 'org_id'), '') AS org_id
        FROM {database:Identifier}.events
        WHERE topic = {topic:String} AND occurred_at <= clock AND outcome NOT IN ('DENIED', 'FAILED')
    ),
    told AS
    (
        SELECT
            subject AS whose,
            JSONExtractString(body, 'org_id') AS org_id,
            parseDateTime64BestEffortOrNull(JSONExtractString(body, 'notified_at'), 6, 'UTC') AS at
        FROM {database:Identifier}.facts
        WHERE topic = {topic:String} AND kind = 'RecipientNotified'
        UNION ALL
        SELECT whose, org_id, occurred_at AS at
        FROM said
        WHERE event_type = 'RecipientNotified'
    ),
    owed AS
    (
        SELECT
            rectified.event_id AS event_id,
            rectified.whose AS whose,
            rectified.occurred_at AS rectified_at,
            given.org_id AS org_id
        FROM said AS rectified
        INNER JOIN said AS given ON given.whose = rectified.whose
        WHERE rectified.event_type = 'Rectified' AND given.event_type != 'RecipientNotified'
            AND given.occurred_at < rectified.occurred_at
            AND given.org_id NOT IN ('', {controller:String}) AND given.org_id NOT IN (own)
            AND (empty(rectified.items) OR hasAny(given.items, rectified.items))
        GROUP BY event_id, whose, rectified_at, org_id
    )
SELECT
    concat(owed.event_id, ':', owed.org_id) AS about,
    owed.whose AS subject,
    owed.rectified_at + toIntervalDay({days:UInt32}) AS since,
    [('Rectified', owed.event_id, owed.event_id)] AS facts
FROM owed
LEFT JOIN told ON told.whose = owed.whose AND told.org_id = owed.org_id
WHERE owed.rectified_at + toIntervalDay({days:UInt32}) < clock
    AND (owed.whose, owed.org_id) NOT IN
    (
        SELECT subject, JSONExtractString(body, 'org_id')
        FROM {database:Identifier}.facts
        WHERE topic = {topic:String} AND kind = 'RecipientToBeTold'
    )
GROUP BY owed.event_id, owed.org_id, owed.whose, owed.rectified_at
HAVING countIf(told.org_id != '' AND told.at >= owed.rectified_at AND told.at <= since) = 0
ORDER BY subject, about
