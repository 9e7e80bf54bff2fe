"""Published means acknowledged: each record is there, in order, on its key's partition, or it raises."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
from kafka import KafkaAdminClient, KafkaProducer

from inzage.schemas.errors import ContractError, TransientError
from inzage.schemas.settings import KafkaSettings
from inzage.schemas.topics import MAX_MESSAGE_BYTES, MAX_STATE_BYTES, specs
from inzage.streams.transport.compacted import read_to_end
from inzage.streams.transport.publisher import BatchPublisher, OutgoingRecord

pytestmark = pytest.mark.kafka


@pytest.fixture
def kafka(broker) -> KafkaSettings:
    return KafkaSettings(bootstrap_servers=broker.bootstrap_servers)


@pytest.fixture
def topic(kafka: KafkaSettings) -> Iterator[str]:
    yield from _topic(kafka, {})


@pytest.fixture
def state_topic(kafka: KafkaSettings) -> Iterator[str]:
    [spec] = [spec for spec in specs((f"of-{uuid.uuid4().hex[:8]}",)) if spec.name.endswith(".dossiers.v1")]
    yield from _topic(kafka, spec.config, spec.name)


@pytest.fixture
def narrow_topic(kafka: KafkaSettings) -> Iterator[str]:
    """A topic whose broker refuses batches that the publisher finds small enough."""
    yield from _topic(kafka, {"max.message.bytes": "500"})


def _topic(kafka: KafkaSettings, config: dict[str, str], name: str = "") -> Iterator[str]:
    name = name or f"inzage.published.{uuid.uuid4().hex[:8]}.v1"
    admin = KafkaAdminClient(bootstrap_servers=kafka.bootstrap_servers)
    admin.create_topics({name: {"num_partitions": 3, "replication_factor": 1, "configs": config}})
    yield name
    admin.delete_topics([name])
    admin.close()


async def test_everything_arrives_in_order_with_its_headers(kafka: KafkaSettings, topic: str) -> None:
    outgoing = [
        OutgoingRecord(topic, b"subject-%d" % (n % 50), b"%06d" % n + b"x" * 300, (("ce_id", b"%d" % n),))
        for n in range(20_000)
    ]
    async with BatchPublisher(kafka) as publisher:
        await publisher.publish(outgoing)
    numbers: dict[int, list[int]] = {}
    async for block in read_to_end(kafka, topic):
        for record in block:
            assert record.key == b"subject-%d" % (int(record.value[:6]) % 50)
            assert record.headers == (("ce_id", b"%d" % int(record.value[:6])),)
            numbers.setdefault(record.partition, []).append(int(record.value[:6]))
    assert sorted(n for found in numbers.values() for n in found) == list(range(20_000))
    assert all(found == sorted(found) for found in numbers.values())


async def test_a_key_lies_where_kafka_python_puts_it(kafka: KafkaSettings, topic: str) -> None:
    keys = [uuid.uuid4().bytes for _ in range(50)]
    theirs = KafkaProducer(bootstrap_servers=kafka.bootstrap_servers)
    places = {key: theirs.send(topic, key=key, value=b"theirs").get(10).partition for key in keys}
    theirs.close()
    async with BatchPublisher(kafka) as publisher:
        await publisher.publish(OutgoingRecord(topic, key, b"ours") for key in keys)
    ours = {record.key: record.partition async for block in read_to_end(kafka, topic) for record in block
            if record.value == b"ours"}  # fmt: skip
    assert ours == places


async def test_what_is_not_acknowledged_raises(kafka: KafkaSettings, narrow_topic: str) -> None:
    """One of three partitions refuses: `publish` says so although the others took theirs."""
    outgoing = [OutgoingRecord(narrow_topic, b"k", b"x" * size, partition=n) for n, size in enumerate((9, 9, 900))]
    async with BatchPublisher(kafka, request_timeout=2.0) as publisher:
        with pytest.raises(TransientError, match="not acknowledged"):
            await publisher.publish(outgoing)


async def test_an_unknown_topic_raises(kafka: KafkaSettings) -> None:
    async with BatchPublisher(kafka, request_timeout=2.0) as publisher:
        with pytest.raises(TransientError, match="not known"):
            await publisher.publish([OutgoingRecord("inzage.nowhere.v1", b"k", b"v")])


async def test_a_record_too_large_is_refused_and_nothing_is_sent(kafka: KafkaSettings, topic: str) -> None:
    outgoing = [OutgoingRecord(topic, b"k", value) for value in (b"small", b"x" * MAX_MESSAGE_BYTES)]
    async with BatchPublisher(kafka) as publisher:
        with pytest.raises(ContractError, match="exceeds"):
            await publisher.publish(outgoing)
    assert [block async for block in read_to_end(kafka, topic)] == []


async def test_what_is_known_of_a_person_may_be_larger_than_other_records(
    kafka: KafkaSettings, state_topic: str
) -> None:
    """A dossier of ten thousand facts is 1 MB, and all of it is written again with each new one."""
    values = [b"x" * size for size in (9, 2 << 20, 15 << 20, 9)]
    async with BatchPublisher(kafka) as publisher:
        await publisher.publish([OutgoingRecord(state_topic, b"k", value, partition=1) for value in values])
        with pytest.raises(ContractError, match="exceeds"):
            await publisher.publish([OutgoingRecord(state_topic, b"k", b"x" * MAX_STATE_BYTES)])
    found = [record.value async for block in read_to_end(kafka, state_topic) for record in block]
    assert found == values
