-- How a check's findings stand in the trail: the newest verdict of each.
SELECT
    event_id AS about,
    subject,
    result,
    revision,
    verdict_id,
    occurred_at AS since
FROM {database:Identifier}.verdicts
WHERE log_topic = {topic:String} AND pack = {pack:String} AND rule_id = {rule:String}
ORDER BY revision DESC, log_offset DESC
LIMIT 1 BY event_id
