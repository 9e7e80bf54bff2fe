"""How long a lone violation takes from the call that emits it to the violations topic, with an idle worker.

Each event is emitted and flushed on its own; the clock stops when a consumer of the topic has the violation.
Prints one line of JSON with the median and the 95th percentile in milliseconds.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from datetime import UTC, datetime

from kafka import KafkaConsumer

from inzage.deploy.local.topics import ensure_topics
from inzage.schemas.codec import decode
from inzage.schemas.emitter import AlreadyPseudonyms, Emitter
from inzage.schemas.settings import KafkaSettings, Settings
from inzage.schemas.topics import ControllerTopics, Theme

_FIRST_WITHIN = 90.0  # seconds until the worker has compiled its policies and joined
_WITHIN = 30.0
_WARMING_UP = 3


def main() -> None:
    """Run it and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bootstrap-servers", default="127.0.0.1:9092")
    parser.add_argument("--events", type=int, default=40)
    asked = parser.parse_args()
    settings = Settings(kafka=KafkaSettings(bootstrap_servers=asked.bootstrap_servers))
    ensure_topics(settings, settings.controllers)
    environment = {**os.environ, "INZAGE_KAFKA__BOOTSTRAP_SERVERS": asked.bootstrap_servers}
    command = [sys.executable, "-m", "inzage.console.main", "worker"]
    worker = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        waited = sorted(measure(settings, asked.events))
    finally:
        worker.terminate()
        worker.wait(30)
    result = {"p50_ms": round(statistics.median(waited)), "p95_ms": round(waited[int(len(waited) * 0.95) - 1])}
    print(json.dumps({"benchmark": "lone_event", "events": len(waited), **result}))


def measure(settings: Settings, events: int) -> list[float]:
    """Milliseconds for each of `events`."""
    topic = ControllerTopics("CIGNA").violations(Theme.MARKETING)
    consumer = KafkaConsumer(
        topic,
        bootstrap_servers=settings.kafka.bootstrap_servers,
        auto_offset_reset="earliest",
        fetch_max_wait_ms=20,
    )
    waited = []
    with Emitter(
        controller_id="CIGNA",
        source_system="benchmark",
        settings=settings,
        vault=AlreadyPseudonyms(),
        compression=None,
    ) as emitter:
        for number in range(events + _WARMING_UP):
            started = time.perf_counter()
            event_id = emitter.processing(
                subject=f"lone-{number}",
                occurred_at=datetime.now(UTC),
                purpose="MARKETING",
                campaign_id="CAMP-1",
                data_categories=["IDENTITY"],
            )
            emitter.flush()
            _await(consumer, event_id, _WITHIN if number else _FIRST_WITHIN)
            if number >= _WARMING_UP:
                waited.append((time.perf_counter() - started) * 1000)
    consumer.close()
    return waited


def _await(consumer: KafkaConsumer, event_id: str, within: float) -> None:
    give_up = time.monotonic() + within
    while time.monotonic() < give_up:
        for records in consumer.poll(timeout_ms=100).values():
            if any(decode(record.value)[1]["event_id"] == event_id for record in records):
                return
    raise TimeoutError("no violation came")


if __name__ == "__main__":
    main()
