-- One verdict. An identifier may be shortened; two rows say that it is too short.
SELECT
    verdict_id, event_id, controller_id, subject, rule_id, result, severity, theme, reason, heading, promise, articles,
    arrayMap(fact -> [fact.kind, fact.key, fact.version], facts) AS facts,
    pack, pack_version, revision, supersedes, occurred_at, evaluated_at, topic, partition, offset
FROM {database:Identifier}.verdicts
WHERE startsWith(verdict_id, {identifier:String})
ORDER BY verdict_id, log_offset
LIMIT 1 BY verdict_id
LIMIT 2
