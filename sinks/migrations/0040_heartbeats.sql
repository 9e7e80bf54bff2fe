-- The signs of life of the sources: the last number each gave out, and whether it ended.
CREATE TABLE IF NOT EXISTS {database:Identifier}.heartbeats
(
    log_id String CODEC(ZSTD(1)),
    topic String CODEC(ZSTD(1)),
    partition UInt32 CODEC(ZSTD(1)),
    offset UInt64 CODEC(Delta, ZSTD(1)),
    leaf_index UInt64 CODEC(Delta, ZSTD(1)),
    broker_time DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    timestamp_type UInt8,
    key Nullable(String),
    raw String,
    headers String,
    leaf_hash FixedString(32) CODEC(NONE),
    schema_fingerprint String CODEC(ZSTD(1)),
    block FixedString(8),
    block_end FixedString(8),
    controller_id String,
    source_system String,
    source_instance String,
    last_sequence Int64,
    at DateTime64(6, 'UTC'),
    ended Bool,
    period Int64,
    CONSTRAINT aligned CHECK block_end = block
)
ENGINE = MergeTree
PARTITION BY (topic, toYYYYMM(broker_time))
ORDER BY (log_id, offset)
SETTINGS
    non_replicated_deduplication_window = 10000,
    fsync_after_insert = 1,
    fsync_part_directory = 1,
    min_bytes_for_wide_part = 536870912,
    string_serialization_version = 'single_stream',
    auto_statistics_types = ''
