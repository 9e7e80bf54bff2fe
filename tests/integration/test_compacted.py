"""A compacted topic is read whole, up to its end as of now, holes and transaction markers included."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator

import pytest
from aiokafka import AIOKafkaProducer
from kafka import KafkaAdminClient

from inzage.schemas.errors import TransientError
from inzage.schemas.settings import KafkaSettings
from inzage.streams.transport.compacted import Follower, read_to_end
from inzage.streams.transport.publisher import BatchPublisher, OutgoingRecord

pytestmark = pytest.mark.kafka


@pytest.fixture
def kafka(broker) -> KafkaSettings:
    return KafkaSettings(bootstrap_servers=broker.bootstrap_servers)


@pytest.fixture
def topic(kafka: KafkaSettings) -> Iterator[str]:
    name = f"inzage.compacted.{uuid.uuid4().hex[:8]}.v1"
    admin = KafkaAdminClient(bootstrap_servers=kafka.bootstrap_servers)
    config = {"cleanup.policy": "compact", "min.cleanable.dirty.ratio": "0.01", "segment.ms": "500"}
    admin.create_topics({name: {"num_partitions": 3, "replication_factor": 1, "configs": config}})
    yield name
    admin.delete_topics([name])
    admin.close()


def dossiers(topic: str, numbers: range, partition: int | None = None) -> Iterator[OutgoingRecord]:
    return (OutgoingRecord(topic, b"subject-%d" % n, b"%d" % n, partition=partition) for n in numbers)


async def numbers(kafka: KafkaSettings, topic: str, partitions: list[int] | None = None) -> list[int]:
    return sorted([int(found.value) async for block in read_to_end(kafka, topic, partitions) for found in block])


async def test_one_partition_or_all_are_read(kafka: KafkaSettings, topic: str) -> None:
    async with BatchPublisher(kafka) as publisher:
        await publisher.publish(dossiers(topic, range(100), partition=0))
        await publisher.publish(dossiers(topic, range(100, 30_000), partition=2))
    assert await numbers(kafka, topic, [0]) == list(range(100))
    assert await numbers(kafka, topic, [1]) == []
    assert await numbers(kafka, topic) == list(range(30_000))


async def test_a_follower_yields_only_what_is_new(kafka: KafkaSettings, topic: str) -> None:
    async with BatchPublisher(kafka) as publisher, Follower(kafka, topic) as follower:
        for numbers in (range(50), range(50, 60), range(0)):
            await publisher.publish(dossiers(topic, numbers))
            found = [int(record.value) async for block in follower.catch_up() for record in block]
            assert sorted(found) == list(numbers)


async def test_a_follower_with_nothing_new_answers_in_one_round_trip(kafka: KafkaSettings, topic: str) -> None:
    """A held fetch on the same connection would make the question for the end wait as long."""
    async with BatchPublisher(kafka) as publisher, Follower(kafka, topic) as follower:
        await publisher.publish(dossiers(topic, range(50)))
        assert [block async for block in follower.catch_up()]
        seconds = []
        for _ in range(20):
            started = time.perf_counter()
            assert not [block async for block in follower.catch_up()]
            seconds.append(time.perf_counter() - started)
        assert max(seconds) < 0.2


async def test_what_a_caller_left_unread_comes_again(kafka: KafkaSettings, topic: str) -> None:
    async with BatchPublisher(kafka) as publisher, Follower(kafka, topic) as follower:
        for partition in range(3):
            await publisher.publish(dossiers(topic, range(10 * partition, 10 * partition + 10), partition))
        reading = follower.catch_up()
        first = await anext(reading)
        await reading.aclose()
        rest = [int(record.value) async for block in follower.catch_up() for record in block]
        assert sorted([int(record.value) for record in first] + rest) == list(range(30))


async def test_reading_ends_at_a_transaction_marker(kafka: KafkaSettings, topic: str) -> None:
    """The last offset holds no record: waiting for one would never end."""
    producer = AIOKafkaProducer(bootstrap_servers=kafka.bootstrap_servers, transactional_id=topic)
    await producer.start()
    async with producer.transaction():
        await producer.send_and_wait(topic, key=b"k", value=b"1", partition=0)
    await producer.stop()
    assert await numbers(kafka, topic) == [1]


@pytest.mark.slow
async def test_compaction_leaves_the_last_value_and_reading_ends(kafka: KafkaSettings, topic: str) -> None:
    async with BatchPublisher(kafka) as publisher:
        for n in range(40):
            await publisher.publish([OutgoingRecord(topic, b"same", b"%d" % n, partition=0)])
            if n % 10 == 9:
                time.sleep(0.6)  # a new segment: only closed ones are compacted
        await publisher.publish([OutgoingRecord(topic, b"same", None, partition=0)])
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        values = [found.value async for block in read_to_end(kafka, topic) for found in block]
        if len(values) < 20:
            break
        time.sleep(1.0)
    assert len(values) < 20
    assert values[-1] is None


async def test_an_unknown_topic_raises(kafka: KafkaSettings) -> None:
    with pytest.raises(TransientError, match="cannot be read"):
        async with Follower(kafka, "inzage.nowhere.v1", request_timeout=2.0):
            pass
