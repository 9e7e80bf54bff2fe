-- All verdicts of one rule on one record, in the order in which each took the place of the one before.
SELECT
    verdict_id, event_id, controller_id, subject, rule_id, result, severity, theme, reason, heading, promise, articles,
    arrayMap(fact -> [fact.kind, fact.key, fact.version], facts) AS facts,
    pack, pack_version, revision, supersedes, occurred_at, evaluated_at, topic, partition, offset
FROM {database:Identifier}.verdicts
WHERE event_id = {event_id:String}
    AND controller_id = {controller_id:String}
    AND rule_id = {rule_id:String}
    AND pack_version = {pack_version:String}
    AND topic = {topic:String} AND partition = {partition:Int64} AND offset = {offset:Int64}
ORDER BY revision, log_offset
LIMIT 1 BY verdict_id
