"""Names every metric of the sink, once."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

ROWS = Counter("inzage_sink_rows_total", "Rows acknowledged by ClickHouse.", ["table"])
BLOCKS = Counter("inzage_sink_blocks_total", "Blocks acknowledged by ClickHouse.", ["table"])
UNREADABLE = Counter("inzage_sink_unreadable_total", "Records kept in other_records, by reason.", ["reason"])
SKIPPED = Counter("inzage_sink_skipped_total", "Records read again that the trail already held.")
RETRIES = Counter("inzage_sink_retries_total", "Inserts that were tried again.")
LAG = Gauge("inzage_sink_lag_records", "Records on the topic that the trail does not hold.", ["topic", "partition"])
INSERT_SECONDS = Histogram(
    "inzage_sink_insert_seconds",
    "Seconds until an insert was acknowledged.",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
