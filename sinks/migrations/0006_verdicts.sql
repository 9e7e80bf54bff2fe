-- The verdicts. Coordinates are those of the verdict's own record; `topic`, `partition`, `offset` are the event's.
CREATE TABLE IF NOT EXISTS {database:Identifier}.verdicts
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
    verdict_id String,
    event_id String,
    controller_id String,
    subject String,
    rule_id String,
    result String,
    severity String,
    theme String,
    reason String,
    heading String,
    promise String,
    articles Array(String),
    facts Array(Tuple(
        kind String,
        key String,
        version String)),
    pack String,
    pack_version String,
    revision Int64,
    supersedes Nullable(String),
    occurred_at DateTime64(6, 'UTC'),
    evaluated_at DateTime64(6, 'UTC'),
    topic String,
    partition Int64,
    offset Int64,
    INDEX by_subject subject TYPE bloom_filter(0.01) GRANULARITY 2,
    INDEX by_event event_id TYPE bloom_filter(0.01) GRANULARITY 2,
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
