-- The facts on which it depends whether a person may be erased: what holds them or a record of theirs, and what
-- ends that. A hold and its release may be said about somebody else with whom the record is shared.
WITH
    records AS
    (
        SELECT JSONExtractString(body, 'record_id') AS record_id
        FROM {database:Identifier}.facts
        WHERE topic = {topic:String} AND subject = {subject:String} AND kind = 'RecordRegistered' AND record_id != ''
    ),
    holds AS
    (
        SELECT JSONExtractString(body, 'hold_ref') AS hold_ref
        FROM {database:Identifier}.facts
        WHERE topic = {topic:String} AND kind = 'LegalHoldPlaced' AND hold_ref != ''
            AND (subject = {subject:String} OR JSONExtractString(body, 'record_id') IN records)
    )
SELECT 'fact' AS kind, topic, partition, offset, broker_time, hex(raw) AS raw_hex
FROM {database:Identifier}.facts
WHERE topic = {topic:String}
    AND facts.kind IN ('LegalHoldPlaced', 'LegalHoldReleased', 'RecordRegistered', 'DataErased', 'DataAnonymised')
    AND
    (
        subject = {subject:String}
        OR JSONExtractString(body, 'record_id') IN records
        OR JSONExtractString(body, 'hold_ref') IN holds
    )
ORDER BY broker_time, partition, offset
