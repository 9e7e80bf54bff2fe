"""An app in this process: what it measures, and several topics with an agent each."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from kafka import KafkaAdminClient

from inzage.schemas.settings import KafkaSettings
from inzage.streams.transport.app import BatchApp
from inzage.streams.transport.batch import RecordBatch
from inzage.streams.transport.publisher import BatchPublisher, OutgoingRecord
from inzage.streams.transport.settings import BatchSettings
from tests.integration.fleet import until

pytestmark = pytest.mark.kafka


@pytest.fixture
def kafka(broker) -> KafkaSettings:
    return KafkaSettings(bootstrap_servers=broker.bootstrap_servers)


@pytest.fixture
def topics(kafka: KafkaSettings) -> list[str]:
    names = [f"inzage.app-{n}.{uuid.uuid4().hex[:8]}.v1" for n in range(2)]
    admin = KafkaAdminClient(bootstrap_servers=kafka.bootstrap_servers)
    admin.create_topics({name: {"num_partitions": 2, "replication_factor": 1} for name in names})
    admin.close()
    return names


@asynccontextmanager
async def running(app: BatchApp) -> AsyncIterator[None]:
    await app.start()
    try:
        yield
    finally:
        await app.stop()


async def test_lag_and_age_show_what_is_unfinished(kafka: KafkaSettings, topics: list[str]) -> None:
    app = BatchApp(topics[0], kafka=kafka, batch=BatchSettings(max_records=10))
    may_go_on = asyncio.Event()

    @app.batch_agent(topics[0])
    async def wait(batch: RecordBatch) -> None:
        await may_go_on.wait()

    assert app.lag() == {} and app.oldest_unfinished_age() == 0.0
    async with BatchPublisher(kafka) as publisher:
        await publisher.publish(OutgoingRecord(topics[0], None, b"x", partition=n % 2) for n in range(100))
    async with running(app):
        await until(lambda: app.oldest_unfinished_age() > 0.2, within=60.0)
        assert app.lag() == {(topics[0], 0): 50, (topics[0], 1): 50}
        may_go_on.set()
        await until(lambda: app.lag() == {(topics[0], 0): 0, (topics[0], 1): 0}, within=60.0)
        assert app.oldest_unfinished_age() == 0.0


async def test_a_slow_topic_does_not_hold_up_another(kafka: KafkaSettings, topics: list[str]) -> None:
    app = BatchApp(topics[0], kafka=kafka, batch=BatchSettings(max_records=10))
    seen = dict.fromkeys(topics, 0)
    may_go_on = asyncio.Event()

    @app.batch_agent(topics[0])
    async def wait(batch: RecordBatch) -> None:
        await may_go_on.wait()
        seen[batch.topic] += len(batch)

    @app.batch_agent(topics[1])
    async def count(batch: RecordBatch) -> None:
        seen[batch.topic] += len(batch)

    async with BatchPublisher(kafka) as publisher:
        for topic in topics:
            await publisher.publish(OutgoingRecord(topic, None, b"x", partition=n % 2) for n in range(100))
        async with running(app):
            try:
                await until(lambda: seen[topics[1]] == 100, within=60.0)
                await publisher.publish(OutgoingRecord(topics[1], None, b"x", partition=1) for _ in range(100))
                await until(lambda: seen[topics[1]] == 200, within=60.0)
                assert seen[topics[0]] == 0
            finally:
                may_go_on.set()
            await until(lambda: seen[topics[0]] == 100, within=60.0)
