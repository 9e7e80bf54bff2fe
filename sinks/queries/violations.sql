-- The newest violations with the recipient of the event each is about.
WITH newest AS
(
    SELECT *
    FROM {database:Identifier}.violations
    WHERE result IN {results:Array(String)}
        AND controller_id IN {controllers:Array(String)}
        AND ({rule:String} = '' OR rule_id = {rule:String})
    ORDER BY occurred_at DESC, verdict_id
    LIMIT {limit:UInt64}
)
SELECT
    newest.occurred_at AS occurred_at,
    newest.controller_id AS controller_id,
    newest.rule_id AS rule_id,
    newest.result AS result,
    newest.severity AS severity,
    newest.theme AS theme,
    newest.heading AS heading,
    newest.promise AS promise,
    newest.articles AS articles,
    newest.reason AS reason,
    newest.subject AS subject,
    event.recipient AS recipient,
    newest.event_id AS event_id,
    newest.verdict_id AS verdict_id
FROM newest
LEFT ANY JOIN
(
    SELECT
        topic,
        partition,
        offset,
        coalesce(tupleElement(recipient, 'org_id'), tupleElement(recipient, 'person'), '') AS recipient
    FROM {database:Identifier}.events
    WHERE event_id IN (SELECT event_id FROM newest)
) AS event
    ON event.topic = newest.topic AND event.partition = newest.partition AND event.offset = newest.offset
ORDER BY newest.occurred_at DESC, newest.verdict_id
