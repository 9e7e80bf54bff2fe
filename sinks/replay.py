"""Decides whether a dead letter can live again, and puts its original bytes back on their topic.

It is put back with its own key and headers and one header more, `inzage_replay_of`, after a check that it can be
read now. The record that could not be read stays where it stands: what was said is never changed.
What the trail shows as put back already is not put back again.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import KafkaError

from inzage.schemas.codec import Schema, decode
from inzage.schemas.dead_letters import REPLAY_HEADER
from inzage.schemas.errors import ConfigError, ContractError, TransientError
from inzage.schemas.framing import header_of, registry_id
from inzage.schemas.kafka_clients import for_kafka_python
from inzage.schemas.registered import RegisteredSchemas
from inzage.schemas.settings import KafkaSettings
from inzage.schemas.statement import stated, take_statement
from inzage.schemas.topics import MAX_MESSAGE_BYTES, SCHEMAS
from inzage.sinks.block import TABLES
from inzage.sinks.logs import Topic
from inzage.sinks.trail import Trail

ALREADY = "trail.already-replayed"

_ALL = 1_000_000


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A record that was refused, whole. `offset` is the original's; `said_at` when it was last refused, UTC."""

    dead_letter_id: str
    controller_id: str
    stages: tuple[str, ...]
    reason: str
    message: str
    topic: str
    partition: int
    offset: int
    timestamp: datetime
    said_at: datetime
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]


def find(trail: Trail, identifier: str) -> DeadLetter:
    """The dead letter whose identifier begins with `identifier`; raises `ConfigError` unless it is one."""
    found = list(trail.select_named("dead_letter", identifier=identifier))
    if len(found) != 1 or not identifier:
        what = "several dead letters begin" if found else "no dead letter begins"
        raise ConfigError(f"{what} with {identifier or 'nothing'}", code="config.dead-letter")
    return _read(found[0])


def all_of(trail: Trail) -> Iterator[DeadLetter]:
    """Every dead letter, one at a time."""
    for row in trail.select_named("dead_letters", limit=_ALL):
        yield find(trail, row["dead_letter_id"])


def replayed(trail: Trail) -> frozenset[str]:
    """The identifiers of the dead letters whose replay the trail holds."""
    return frozenset(row[0] for row in trail.select("replayed", header=REPLAY_HEADER))


def replay(
    kafka: KafkaSettings,
    letters: Iterable[DeadLetter],
    topics: Mapping[str, Topic],
    already: Container[str] = (),
    registry: RegisteredSchemas | None = None,
) -> Iterator[tuple[str, str]]:
    """Put back what can be read now; yields each identifier with what became of it, `replayed` or the reason not.

    Raises `TransientError` when Kafka does not take one, or the registry does not answer: those yielded before it
    are back.
    """
    schemas = _read_schemas(kafka)
    try:
        producer = KafkaProducer(
            **for_kafka_python(kafka), enable_idempotence=True, acks="all", max_request_size=MAX_MESSAGE_BYTES
        )
        try:
            for letter in letters:
                name = letter.dead_letter_id
                if registry is not None:
                    _look_up(registry, letter.value, schemas)
                yield name, ALREADY if name in already else _replay(producer, letter, topics, schemas)
        finally:
            producer.close()
    except (KafkaError, OSError) as error:
        raise TransientError("Kafka does not take it", code="transient.kafka") from error


def _replay(
    producer: KafkaProducer, letter: DeadLetter, topics: Mapping[str, Topic], schemas: dict[bytes, Schema]
) -> str:
    topic = topics.get(letter.topic)
    if topic is None:
        return "trail.no-topic"  # the emitter refused it: it never stood on one
    if letter.value is None:
        return "trail.no-original"
    try:
        schema, _ = decode(letter.value, also=schemas)
    except ContractError as why:
        return why.code
    if (topic.said, schema.name) not in TABLES:
        return "trail.other-topic"
    headers = [(name, value or b"") for name, value in letter.headers if name != REPLAY_HEADER]
    headers.append((REPLAY_HEADER, letter.dead_letter_id.encode()))
    # Its own partition: what is said of one person stays in one order, whatever chose the partition.
    sent = producer.send(letter.topic, letter.value, letter.key, headers, partition=letter.partition)
    sent.get(timeout=30)
    return "replayed"


def _look_up(registry: RegisteredSchemas, value: bytes | None, schemas: dict[bytes, Schema]) -> None:
    """Ask for the schema of a value, if it is not known; worker and sink say it on the schemas topic."""
    identifier = registry_id(header_of(value))
    if identifier is not None and header_of(value) not in schemas:
        for schema in registry.look_up([identifier]):
            take_statement(schemas, schema)


def _read(row: dict[str, Any]) -> DeadLetter:
    fields = {name: row[name] for name in ("dead_letter_id", "controller_id", "reason", "message", "topic")}
    return DeadLetter(
        **fields,
        stages=tuple(row["stages"]),
        partition=row["partition"],
        offset=row["offset"],
        timestamp=row["timestamp"],
        said_at=row["said_at"],
        key=_bytes(row["key_hex"]),
        value=_bytes(row["value_hex"]),
        headers=tuple((name, _bytes(value)) for name, value in row["headers_hex"]),
    )


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else bytes.fromhex(text)


def _read_schemas(kafka: KafkaSettings) -> dict[bytes, Schema]:
    """The schemas of the schemas topic."""
    place = TopicPartition(SCHEMAS, 0)
    schemas: dict[bytes, Schema] = {}
    try:
        consumer = KafkaConsumer(**for_kafka_python(kafka), group_id=None, enable_auto_commit=False)
        try:
            consumer.assign([place])
            consumer.seek_to_beginning(place)
            end = consumer.end_offsets([place])[place]
            while consumer.position(place) < end:
                for record in consumer.poll(timeout_ms=500).get(place, ()):
                    try:
                        take_statement(schemas, stated(record.value)[0])
                    except ContractError:
                        continue
        finally:
            consumer.close()
    except (KafkaError, OSError) as error:
        raise TransientError("the schemas topic cannot be read", code="transient.kafka") from error
    return schemas
