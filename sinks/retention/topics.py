"""Keeps what retention does on Kafka: ask for statements, and delete what was stated and dropped."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from kafka import KafkaConsumer, KafkaProducer
from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError
from kafka.structs import TopicPartition

from inzage.schemas.errors import TransientError
from inzage.schemas.kafka_clients import for_kafka_python
from inzage.schemas.settings import KafkaSettings
from inzage.schemas.topics import PRUNING_REQUESTS
from inzage.sinks.retention.statement import message

_ACKNOWLEDGED_WITHIN = 30.0  # seconds


def ask(kafka: KafkaSettings, requests: Sequence[Mapping[str, Any]]) -> None:
    """Put requests where the sealer reads them; raises `TransientError`."""
    with _answering():
        producer = KafkaProducer(**for_kafka_python(kafka), acks="all", enable_idempotence=True)
        try:
            sent = [producer.send(PRUNING_REQUESTS, value, key) for key, value in map(message, requests)]
            for one in sent:
                one.get(timeout=_ACKNOWLEDGED_WITHIN)
        finally:
            producer.close()


def delete_below(kafka: KafkaSettings, offsets: Mapping[TopicPartition, int]) -> None:
    """Delete the records below these offsets; raises `TransientError`. Doing it again does nothing."""
    if offsets:
        with _answering():
            admin = KafkaAdminClient(**for_kafka_python(kafka))
            try:
                admin.delete_records(dict(offsets))
            finally:
                admin.close()


def offsets_at(kafka: KafkaSettings, topics: Sequence[str], at: datetime) -> dict[TopicPartition, int]:
    """For each partition the offset of the first record at or after `at` (UTC), its end when there is none.

    Partitions that begin there or later are left out.
    """
    with _answering():
        consumer = KafkaConsumer(**for_kafka_python(kafka), group_id=None, enable_auto_commit=False)
        try:
            places = [TopicPartition(topic, number) for topic in topics for number in _partitions(consumer, topic)]
            ends, begins = consumer.end_offsets(places), consumer.beginning_offsets(places)
            times = consumer.offsets_for_times(dict.fromkeys(places, int(at.timestamp() * 1000)))
            found = {place: times[place].offset if times.get(place) else ends[place] for place in places}
            return {place: offset for place, offset in found.items() if offset > begins[place]}
        finally:
            consumer.close()


def _partitions(consumer: Any, topic: str) -> list[int]:
    return sorted(consumer.partitions_for_topic(topic) or ())


@contextmanager
def _answering() -> Iterator[None]:
    try:
        yield
    except (KafkaError, OSError) as error:
        raise TransientError(f"Kafka: {type(error).__name__}", code="transient.kafka") from error
