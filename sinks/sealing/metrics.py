"""Names every metric of the sealer, once."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

LEAVES = Counter("inzage_sealer_leaves_total", "Records hashed into their logs.")
ROUNDS = Counter("inzage_sealer_rounds_total", "Rounds that are public and archived.")
CHECKPOINTS = Counter("inzage_sealer_checkpoints_total", "Checkpoints of partitions that are public and archived.")
REFUSED = Counter("inzage_sealer_refused_requests_total", "Requests for a pruning that were refused.")
META_SIZE = Gauge("inzage_sealer_meta_size", "Size of the meta log that is public.")
SEALED_AT = Gauge("inzage_sealer_sealed_timestamp_seconds", "When the last round was done, seconds since 1970, UTC.")
LAG = Gauge("inzage_sealer_lag_records", "Records on the topic that are not sealed.", ["topic", "partition"])
ROUND_SECONDS = Histogram(
    "inzage_sealer_round_seconds",
    "Seconds from the first persist of a round until it was archived.",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
