"""The local broker is Apache Kafka, keeps its records over a restart and leaves nothing behind."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient

from inzage.deploy.local.kafka import Broker

pytestmark = [pytest.mark.kafka, pytest.mark.slow]


def create_topic(broker: Broker, name: str) -> None:
    admin = KafkaAdminClient(bootstrap_servers=broker.bootstrap_servers)
    admin.create_topics({name: {"num_partitions": 1, "replication_factor": 1}}, wait_for_metadata=True)
    admin.close()


async def produce(broker: Broker, topic: str, count: int) -> None:
    async with AIOKafkaProducer(bootstrap_servers=broker.bootstrap_servers, acks="all") as producer:
        for number in range(count):
            await producer.send(topic, b"%d" % number, partition=0)
        await producer.flush()


async def read(broker: Broker, topic: str, count: int) -> list[bytes]:
    consumer = AIOKafkaConsumer(bootstrap_servers=broker.bootstrap_servers, auto_offset_reset="earliest")
    consumer.assign([TopicPartition(topic, 0)])
    async with consumer:
        return [(await consumer.getone()).value for _ in range(count)]


@pytest.mark.parametrize("ended_by", [signal.SIGTERM, signal.SIGKILL])
async def test_records_survive_a_restart_on_the_same_directory(tmp_path: Path, ended_by: int) -> None:
    """Acknowledged records are there after the broker ended, cleanly or not."""
    broker = Broker(tmp_path, heap_megabytes=256)
    with broker:
        create_topic(broker, "kept")
        await produce(broker, "kept", 100)
        pid = broker.pid
        assert pid is not None
        os.kill(pid, ended_by)
    with broker:
        assert await read(broker, "kept", 100) == [b"%d" % number for number in range(100)]


def test_is_apache_kafka_on_loopback_without_auto_created_topics(broker: Broker) -> None:
    """The session's broker is the real one, and a misspelt topic is not silently made."""
    assert broker.kind == "apache-kafka"
    assert broker.bootstrap_servers.startswith("127.0.0.1:")
    admin = KafkaAdminClient(bootstrap_servers=broker.bootstrap_servers)
    try:
        assert "misspelt" not in admin.list_topics()
        answer = admin.describe_topics(["misspelt"])
        assert answer[0]["error_code"] != 0
    finally:
        admin.close()


def test_stop_ends_the_process_and_the_log_stays_below_the_directory(tmp_path: Path) -> None:
    """No broker outlives stop(), and its own log is a file in its directory."""
    with Broker(tmp_path, heap_megabytes=256) as broker:
        pid = broker.pid
        assert pid is not None
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert "Kafka Server started" in (tmp_path / "broker.log").read_text()
