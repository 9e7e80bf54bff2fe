-- How everything said about one person was judged, as it stands after every revision.
SELECT
    occurred_at, controller_id, event_id, rule_id, result, severity, theme, heading, promise, articles, reason, verdict_id
FROM
(
    SELECT *
    FROM {database:Identifier}.verdicts
    WHERE subject = {subject:String} AND log_topic IN {topics:Array(String)}
    ORDER BY revision DESC, log_offset DESC
    LIMIT 1 BY controller_id, event_id, rule_id
)
ORDER BY occurred_at, rule_id, verdict_id
