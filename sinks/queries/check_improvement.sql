-- Roles whose rights nobody has reviewed within so many months, and rules that a unit breaks again and again within a
-- quarter without anybody naming what is done about it: an acknowledgement with a ticket of one of them is enough.
WITH
    fromUnixTimestamp64Micro({now:Int64}, 'UTC') AS clock,
    rights AS
    (
        SELECT
            JSONExtractString(body, 'role') AS role,
            max(ifNull(parseDateTime64BestEffortOrNull(JSONExtractString(body, 'valid_from'), 6, 'UTC'), recorded_at)) AS granted,
            max(recorded_at) AS said_at,
            argMax(fact_id, (broker_time, offset)) AS fact_id
        FROM {database:Identifier}.references
        WHERE kind = 'RoleMatrixEntry' AND upper(controller_id) = {controller:String}
        GROUP BY role
    ),
    broken AS
    (
        SELECT verdict_id, event_id, rule_id, result, occurred_at
        FROM {database:Identifier}.verdicts
        WHERE upper(controller_id) = {controller:String} AND pack != 'CHECKS'
        ORDER BY revision DESC, log_offset DESC
        LIMIT 1 BY event_id, rule_id
    ),
    acknowledged AS
    (
        SELECT ifNull(violation_ref, '')
        FROM {database:Identifier}.events
        WHERE topic = {topic:String} AND occurred_at <= clock AND ticket_ref IS NOT NULL
            AND event_type IN ('PolicyViolationAcknowledged', 'PolicyViolationConfirmed')
    )
SELECT *
FROM
(
    SELECT
        concat('role:', role) AS about,
        '' AS subject,
        greatest(granted, said_at) + toIntervalMonth({months:UInt32}) AS since,
        [('RoleMatrixEntry', role, fact_id)] AS facts
    FROM rights
    WHERE since < clock
    UNION ALL
    SELECT
        concat('rule:', broken.rule_id, '/', ifNull(tupleElement(events.actor, 'unit'), '')) AS about,
        '' AS subject,
        max(broken.occurred_at) AS since,
        CAST([], 'Array(Tuple(String, String, String))') AS facts
    FROM broken
    INNER JOIN {database:Identifier}.events AS events ON events.event_id = broken.event_id
    WHERE events.topic = {topic:String} AND broken.result = 'VIOLATION'
        AND broken.occurred_at <= clock AND broken.occurred_at > clock - toIntervalMonth(3)
    GROUP BY about
    HAVING count() > {times:UInt32} AND countIf(broken.verdict_id IN (acknowledged)) = 0
)
ORDER BY about
