-- Records of which nobody says how long they are kept: neither a period of their own nor an approved rule that they
-- name, or one for their category of data.
WITH
    rules AS
    (
        SELECT
            JSONExtractString(body, 'retention_rule_id') AS rule,
            JSONExtractString(body, 'data_category') AS category
        FROM {database:Identifier}.references
        WHERE kind = 'RetentionRuleSet'
            AND upper(controller_id) = {controller:String}
            AND JSONExtractString(body, 'period') != ''
            AND JSONExtractString(body, 'approved_at') != ''
    ),
    records AS
    (
        SELECT
            subject,
            JSONExtractString(body, 'record_id') AS record_id,
            argMax(fact_id, (broker_time, offset)) AS fact_id,
            argMax(body, (broker_time, offset)) AS said,
            min(broker_time) AS registered_at
        FROM {database:Identifier}.facts
        WHERE topic = {topic:String} AND kind = 'RecordRegistered' AND record_id != ''
        GROUP BY subject, record_id
    )
SELECT
    record_id AS about,
    subject,
    toDateTime64(registered_at, 6, 'UTC') AS since,
    [('RecordRegistered', record_id, fact_id)] AS facts
FROM records
WHERE registered_at <= fromUnixTimestamp64Micro({now:Int64}, 'UTC')
    AND JSONExtractString(said, 'retention_until') = ''
    AND JSONExtractString(said, 'retention_rule_id') NOT IN (SELECT rule FROM rules WHERE rule != '')
    AND JSONExtractString(said, 'data_category') NOT IN (SELECT category FROM rules WHERE category != '')
ORDER BY subject, about
