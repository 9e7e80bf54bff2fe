-- At which controllers something was said about one person, how much, and when first and last.
SELECT
    upper(controller_id) AS controller,
    countIf(kept_in = 'events') AS events,
    countIf(kept_in = 'facts') AS facts,
    min(broker_time) AS first,
    max(broker_time) AS last
FROM
(
    SELECT 'events' AS kept_in, controller_id, broker_time
    FROM {database:Identifier}.events
    WHERE subject.pseudonym = {subject:String}
    UNION ALL
    SELECT 'facts' AS kept_in, controller_id, broker_time
    FROM {database:Identifier}.facts
    WHERE subject = {subject:String}
)
GROUP BY controller
ORDER BY controller
