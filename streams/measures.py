"""Counts what the screening does, for Prometheus. No name, label or value is about a person."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from prometheus_client import Counter, Gauge, Histogram, start_http_server

from inzage.streams.screening.record import Outcome
from inzage.streams.transport.app import BatchApp

Measure = Literal[
    "inzage_screening_records",
    "inzage_screening_batch_seconds",
    "inzage_screening_verdicts",
    "inzage_screening_dead_letters",
    "inzage_screening_lag_records",
    "inzage_screening_oldest_batch_seconds",
]


class Measures:
    """The measures of one worker. `port` 0 leaves them unserved."""

    def __init__(self, port: int = 0) -> None:
        self._records = Counter(_named("inzage_screening_records"), "Records judged", ["controller"])
        self._seconds = Histogram(
            _named("inzage_screening_batch_seconds"), "From a batch to its acknowledged verdicts", ["controller"]
        )
        self._verdicts = Counter(
            _named("inzage_screening_verdicts"), "Verdicts by rule and result", ["controller", "rule", "result"]
        )
        self._dead = Counter(_named("inzage_screening_dead_letters"), "Dead letters", ["controller", "reason"])
        self._lag = Gauge(_named("inzage_screening_lag_records"), "Records not yet done")
        self._oldest = Gauge(_named("inzage_screening_oldest_batch_seconds"), "Age of the oldest batch unfinished")
        if port:
            start_http_server(port, addr="127.0.0.1")

    def watch(self, app: BatchApp) -> None:
        """Read lag and age from the app whenever somebody asks."""
        self._lag.set_function(lambda: float(sum(app.lag().values())))
        self._oldest.set_function(app.oldest_unfinished_age)

    @contextmanager
    def batch(self, controller: str, records: int) -> Iterator[None]:
        """Measure one batch; it counts when it is done."""
        begin = time.perf_counter()
        yield
        self._seconds.labels(controller).observe(time.perf_counter() - begin)
        self._records.labels(controller).inc(records)

    def found(self, controller: str, outcome: Outcome) -> None:
        """Count what an outcome holds."""
        for verdict in outcome.verdicts:
            self._verdicts.labels(controller, verdict["rule_id"], verdict["result"]).inc()
        for letter in outcome.dead_letters:
            self._dead.labels(controller, letter["reason"]).inc()


def _named(name: Measure) -> str:
    return name
