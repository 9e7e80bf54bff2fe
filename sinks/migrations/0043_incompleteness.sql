-- What was found missing, who fell silent, and the end of either. A replay may say one twice: same alert_id.
CREATE TABLE IF NOT EXISTS {database:Identifier}.incompleteness
(
    log_id String CODEC(ZSTD(1)),
    log_topic String CODEC(ZSTD(1)),
    log_partition UInt32 CODEC(ZSTD(1)),
    log_offset UInt64 CODEC(Delta, ZSTD(1)),
    leaf_index UInt64 CODEC(Delta, ZSTD(1)),
    broker_time DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    timestamp_type UInt8,
    log_key Nullable(String),
    raw String,
    log_headers String,
    leaf_hash FixedString(32) CODEC(NONE),
    schema_fingerprint String CODEC(ZSTD(1)),
    block FixedString(8),
    block_end FixedString(8),
    alert_id String,
    controller_id String,
    source_system String,
    source_instance String,
    topic String,
    kind String,
    first_missing Nullable(Int64),
    last_missing Nullable(Int64),
    missing Int64,
    since DateTime64(6, 'UTC'),
    detected_at DateTime64(6, 'UTC'),
    last_seen DateTime64(6, 'UTC'),
    CONSTRAINT aligned CHECK block_end = block
)
ENGINE = MergeTree
PARTITION BY (log_topic, toYYYYMM(broker_time))
ORDER BY (log_id, log_offset)
SETTINGS
    non_replicated_deduplication_window = 10000,
    fsync_after_insert = 1,
    fsync_part_directory = 1,
    min_bytes_for_wide_part = 536870912,
    string_serialization_version = 'single_stream',
    auto_statistics_types = ''
