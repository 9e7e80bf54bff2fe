"""The batch path keeps what the emitter promises, on a real broker."""

from __future__ import annotations

from collections import defaultdict
from itertools import islice

import pytest
from kafka import KafkaConsumer

from inzage.console.bulk import BulkEmitter
from inzage.console.demonstration.month import Month
from inzage.deploy.local.kafka import Broker
from inzage.deploy.local.topics import ensure_topics
from inzage.schemas.codec import current, decode
from inzage.schemas.emitter import SqlVault
from inzage.schemas.errors import TransientError
from inzage.schemas.settings import KafkaSettings, Settings
from inzage.schemas.topics import SCHEMAS, ControllerTopics

CONTROLLERS = ("BULK", "BULKY")


@pytest.mark.kafka
async def test_numbers_headers_and_order_are_those_of_an_emitter(broker: Broker) -> None:
    """Numbers rise by one for each topic, people stay in order, and the schemas are logged."""
    settings = Settings(
        controllers=CONTROLLERS, kafka=KafkaSettings(bootstrap_servers=broker.bootstrap_servers, partitions=3)
    )
    ensure_topics(settings, CONTROLLERS)
    saids = list(islice(Month(seed=5, events=1_500).lane(0), 600))
    for said in saids:
        said.record["controller_id"] = dict(zip(("CIGNA", "HMBS"), CONTROLLERS, strict=True))[
            said.record["controller_id"]
        ]
    async with BulkEmitter(settings.kafka, SqlVault.passing()) as emitter:
        counts = await emitter.emit(iter(saids))
    assert counts.total() == 600
    topics = [ControllerTopics(controller).events for controller in CONTROLLERS]
    numbers, order, ended = defaultdict(list), defaultdict(list), {}
    for record in _records(settings, topics):
        _, said_record = decode(record.value)
        headers = dict(record.headers)
        if "last_sequence" in said_record:
            ended[said_record["source_instance"]] = said_record["last_sequence"] if said_record["ended"] else None
            continue
        identifier = said_record.get("event_id") or said_record["fact_id"]
        assert headers["ce_id"] == identifier.encode()
        assert headers["ce_source"].decode().endswith(said_record["source_instance"])
        numbers[said_record["source_instance"]].append(said_record["source_sequence"])
        order[record.key].append(said_record["recorded_at"])
    assert {len(of) for of in numbers.values()} == {
        sum(s.record["controller_id"] == c for s in saids) for c in CONTROLLERS
    }
    assert all(sorted(of) == list(range(1, len(of) + 1)) for of in numbers.values())
    assert ended == {instance: len(of) for instance, of in numbers.items()}
    assert all(of == sorted(of) for of in order.values())
    logged = {record.key.decode() for record in _records(settings, [SCHEMAS])}
    assert {current("activity").fingerprint, current("fact").fingerprint} <= logged


async def test_no_broker_is_an_error_to_retry() -> None:
    with pytest.raises(TransientError):
        async with BulkEmitter(KafkaSettings(bootstrap_servers="127.0.0.1:9")):
            pass


def _records(settings: Settings, topics: list[str]) -> list[object]:
    consumer = KafkaConsumer(
        *topics,
        bootstrap_servers=settings.kafka.bootstrap_servers,
        auto_offset_reset="earliest",
        consumer_timeout_ms=3_000,
    )
    try:
        return list(consumer)
    finally:
        consumer.close()
