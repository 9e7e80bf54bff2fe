-- A verdict is looked up by its own identifier when it is proven.
ALTER TABLE {database:Identifier}.verdicts
    ADD INDEX IF NOT EXISTS by_verdict verdict_id TYPE bloom_filter(0.01) GRANULARITY 2
