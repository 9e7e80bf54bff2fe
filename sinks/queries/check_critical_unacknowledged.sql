-- Critical violations that stand, and that nobody has acknowledged, confirmed or dismissed in time.
WITH
    fromUnixTimestamp64Micro({now:Int64}, 'UTC') AS clock,
    standing AS
    (
        SELECT verdict_id, subject, result, severity, evaluated_at
        FROM {database:Identifier}.verdicts
        WHERE upper(controller_id) = {controller:String} AND pack != 'CHECKS'
        ORDER BY revision DESC, log_offset DESC
        LIMIT 1 BY event_id, rule_id
    )
SELECT
    verdict_id AS about,
    subject,
    evaluated_at + toIntervalHour({hours:UInt32}) AS since,
    [('Verdict', verdict_id, verdict_id)] AS facts
FROM standing
WHERE result = 'VIOLATION' AND severity = 'CRITICAL' AND since < clock
    AND verdict_id NOT IN
    (
        SELECT ifNull(violation_ref, '')
        FROM {database:Identifier}.events
        WHERE topic = {topic:String} AND occurred_at <= clock AND event_type IN
        ('PolicyViolationAcknowledged', 'PolicyViolationConfirmed', 'PolicyViolationDismissed')
    )
ORDER BY since, about
