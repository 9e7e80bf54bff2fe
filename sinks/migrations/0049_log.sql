-- Every record the trail holds, whichever table keeps it: the sealer's own records among them.
CREATE OR REPLACE VIEW {database:Identifier}.log AS
SELECT
    'events' AS kept_in, log_id, topic, partition, offset, leaf_index, broker_time, timestamp_type,
    key, toNullable(raw) AS raw, headers, leaf_hash, schema_fingerprint, '' AS reason
FROM {database:Identifier}.events
UNION ALL
SELECT
    'facts' AS kept_in, log_id, topic, partition, offset, leaf_index, broker_time, timestamp_type,
    key, toNullable(raw) AS raw, headers, leaf_hash, schema_fingerprint, '' AS reason
FROM {database:Identifier}.facts
UNION ALL
SELECT
    'other_records' AS kept_in, log_id, topic, partition, offset, leaf_index, broker_time, timestamp_type,
    key, toNullable(if(has_value, raw, NULL)) AS raw, headers, leaf_hash, schema_fingerprint, reason
FROM {database:Identifier}.other_records
UNION ALL
SELECT
    'references' AS kept_in, log_id, topic, partition, offset, leaf_index, broker_time, timestamp_type,
    key, toNullable(raw) AS raw, headers, leaf_hash, schema_fingerprint, '' AS reason
FROM {database:Identifier}.references
UNION ALL
SELECT
    'verdicts' AS kept_in, log_id, log_topic AS topic, log_partition AS partition, log_offset AS offset, leaf_index, broker_time, timestamp_type,
    log_key AS key, toNullable(raw) AS raw, log_headers AS headers, leaf_hash, schema_fingerprint, '' AS reason
FROM {database:Identifier}.verdicts
UNION ALL
SELECT
    'judged' AS kept_in, log_id, log_topic AS topic, log_partition AS partition, log_offset AS offset, leaf_index, broker_time, timestamp_type,
    log_key AS key, toNullable(raw) AS raw, log_headers AS headers, leaf_hash, schema_fingerprint, '' AS reason
FROM {database:Identifier}.judged
UNION ALL
SELECT
    'dead_letters' AS kept_in, log_id, log_topic AS topic, log_partition AS partition, log_offset AS offset, leaf_index, broker_time, timestamp_type,
    log_key AS key, toNullable(raw) AS raw, log_headers AS headers, leaf_hash, schema_fingerprint, '' AS reason
FROM {database:Identifier}.dead_letters
UNION ALL
SELECT
    'schemas' AS kept_in, log_id, topic, partition, offset, leaf_index, broker_time, timestamp_type,
    key, toNullable(raw) AS raw, headers, leaf_hash, schema_fingerprint, '' AS reason
FROM {database:Identifier}.schemas
UNION ALL
SELECT
    'checkpoints' AS kept_in, log_id, log_topic AS topic, log_partition AS partition, log_offset AS offset, leaf_index, broker_time, timestamp_type,
    log_key AS key, toNullable(raw) AS raw, log_headers AS headers, leaf_hash, schema_fingerprint, '' AS reason
FROM {database:Identifier}.checkpoints
UNION ALL
SELECT
    'attestations' AS kept_in, log_id, log_topic AS topic, log_partition AS partition, log_offset AS offset, leaf_index, broker_time, timestamp_type,
    log_key AS key, toNullable(raw) AS raw, log_headers AS headers, leaf_hash, schema_fingerprint, '' AS reason
FROM {database:Identifier}.attestations
UNION ALL
SELECT
    'prunings' AS kept_in, log_id, log_topic AS topic, log_partition AS partition, log_offset AS offset, leaf_index, broker_time, timestamp_type,
    log_key AS key, toNullable(raw) AS raw, log_headers AS headers, leaf_hash, schema_fingerprint, '' AS reason
FROM {database:Identifier}.prunings
UNION ALL
SELECT
    'heartbeats' AS kept_in, log_id, topic, partition, offset, leaf_index, broker_time, timestamp_type,
    key, toNullable(raw) AS raw, headers, leaf_hash, schema_fingerprint, '' AS reason
FROM {database:Identifier}.heartbeats
UNION ALL
SELECT
    'incompleteness' AS kept_in, log_id, log_topic AS topic, log_partition AS partition, log_offset AS offset, leaf_index, broker_time, timestamp_type,
    log_key AS key, toNullable(raw) AS raw, log_headers AS headers, leaf_hash, schema_fingerprint, '' AS reason
FROM {database:Identifier}.incompleteness
