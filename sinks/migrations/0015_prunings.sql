-- The signed statements before old records of a log were dropped.
CREATE TABLE IF NOT EXISTS {database:Identifier}.prunings
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
    origin String CODEC(ZSTD(1)),
    minimum_index Int64,
    minimum_offset Int64,
    size Int64,
    root String,
    frontier Array(String),
    reason String,
    approver String,
    note String,
    meta_index Int64,
    stated_at DateTime64(6, 'UTC'),
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
