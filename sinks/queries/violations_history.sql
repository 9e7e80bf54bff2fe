-- Every verdict that said so, superseded ones too, with the verdict that took its place.
WITH every AS
(
    SELECT *
    FROM {database:Identifier}.verdicts
    WHERE controller_id IN {controllers:Array(String)} AND ({rule:String} = '' OR rule_id = {rule:String})
    ORDER BY log_offset
    LIMIT 1 BY verdict_id
)
SELECT
    every.occurred_at AS occurred_at,
    every.controller_id AS controller_id,
    every.rule_id AS rule_id,
    every.result AS result,
    every.severity AS severity,
    every.theme AS theme,
    every.heading AS heading,
    every.promise AS promise,
    every.articles AS articles,
    every.reason AS reason,
    every.subject AS subject,
    every.event_id AS event_id,
    every.verdict_id AS verdict_id,
    every.revision AS revision,
    every.evaluated_at AS evaluated_at,
    if(later.verdict_id = '', 'current', concat('superseded by ', later.result)) AS state,
    later.verdict_id AS superseded_by
FROM every
LEFT ANY JOIN every AS later ON later.supersedes = every.verdict_id
WHERE every.result IN {results:Array(String)}
ORDER BY every.occurred_at DESC, every.event_id, every.rule_id, every.revision
LIMIT {limit:UInt64}
