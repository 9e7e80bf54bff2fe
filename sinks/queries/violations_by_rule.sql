-- How often each entry of a pack is not complied with, as it stands now.
SELECT
    controller_id,
    rule_id,
    count() AS violations,
    uniqExact(subject) AS subjects,
    any(severity) AS severity,
    any(theme) AS theme,
    any(heading) AS heading,
    any(promise) AS promise,
    any(articles) AS articles,
    max(occurred_at) AS newest
FROM {database:Identifier}.violations
WHERE result IN {results:Array(String)}
    AND controller_id IN {controllers:Array(String)}
    AND ({rule:String} = '' OR rule_id = {rule:String})
GROUP BY controller_id, rule_id
ORDER BY violations DESC, controller_id, rule_id
LIMIT {limit:UInt64}
