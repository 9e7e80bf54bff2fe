"""Names every metric of asking witnesses and time-stamp authorities, once."""

from __future__ import annotations

from prometheus_client import Counter, Gauge

ANSWERS = Counter("inzage_witness_answers_total", "What witnesses answered.", ["witness", "answer"])
WITNESSED = Gauge("inzage_witnessed_size", "Newest size of the meta log that a quorum of witnesses cosigned.")
STAMPED = Gauge("inzage_timestamped_size", "Newest size of the meta log that was time-stamped.")
STAMPS = Counter("inzage_timestamps_total", "What the time-stamp authority answered.", ["answer"])
