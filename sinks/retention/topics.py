"""Keeps what retention does on Kafka: ask for statements, wait for them, delete what was stated and dropped."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from kafka import KafkaConsumer, KafkaProducer
from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError
from kafka.structs import TopicPartition

from inzage.schemas.codec import decode
from inzage.schemas.errors import ContractError, TransientError
from inzage.schemas.kafka_clients import for_kafka_python
from inzage.schemas.settings import KafkaSettings
from inzage.schemas.topics import CHECKPOINTS, PRUNING_REQUESTS
from inzage.sinks.ledger.note import Verifier
from inzage.sinks.retention.statement import believed, message
from inzage.sinks.sealing.round import Prune

_PLACE = TopicPartition(CHECKPOINTS, 0)
_ACKNOWLEDGED_WITHIN = 30.0  # seconds


class NotStatedError(TransientError):
    """The sealer did not state it in time."""

    code = "transient.statement"


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


def await_statements(
    kafka: KafkaSettings, wanted: Mapping[str, int], keys: Sequence[Verifier], start: int, within: float
) -> dict[str, Prune]:
    """Wait until each log of `wanted` is publicly stated to go below its index; `within` in seconds.

    `start` is the offset of the topic of checkpoints from which they may stand. Raises `NotStatedError`, and
    `TamperError` for a false statement.
    """
    found: dict[str, Prune] = {}
    until = time.monotonic() + within
    for record in _public(kafka, start, until):
        if said := _statement(record, wanted, keys):
            found[said.origin] = said
        if found.keys() == wanted.keys():
            return found
    missing = ", ".join(sorted(wanted.keys() - found.keys()))
    raise NotStatedError(
        f"no statement within {within:.0f} s about {missing}",
        hint="is the sealer running? its log says why it refuses; nothing was dropped, and running again goes on",
    )


def _public(kafka: KafkaSettings, start: int, until: float) -> Iterator[Any]:
    with _answering():
        consumer = KafkaConsumer(
            **for_kafka_python(kafka), group_id=None, enable_auto_commit=False, isolation_level="read_committed"
        )
        try:
            consumer.assign([_PLACE])
            consumer.seek(_PLACE, start)
            while time.monotonic() < until:
                yield from consumer.poll(timeout_ms=500).get(_PLACE, ())
        finally:
            consumer.close()


def _statement(record: Any, wanted: Mapping[str, int], keys: Sequence[Verifier]) -> Prune | None:
    try:
        schema, said = decode(record.value)
    except ContractError:
        return None  # the sealer's topic holds nothing else; `inzage verify` says so where it does
    if schema.name != "pruning" or said["origin"] not in wanted or said["minimum_index"] < wanted[said["origin"]]:
        return None
    return believed(said, said["note"], keys)


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
