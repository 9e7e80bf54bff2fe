-- Each entry of a pack that did not comply: how often, its heading and promise, and the articles of the GDPR.
SELECT
    rule_id,
    result,
    count() AS found,
    uniqExact(subject) AS persons,
    any(severity) AS severity,
    any(heading) AS heading,
    any(promise) AS promise,
    any(articles) AS articles
FROM {database:Identifier}.violations
WHERE result IN ('VIOLATION', 'WARNING') AND event_id NOT IN ({left_out:Array(String)})
GROUP BY rule_id, result
ORDER BY rule_id, result
