"""Says what goes into the screening and what comes out: records of a partition in, verdicts and the rest out."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

from inzage.schemas.dead_letters import dead_letter_id
from inzage.streams.dossier.versions import PersonDossier


class SaidRecord(NamedTuple):
    """One record of an events topic, with the names of Kafka clients: any client's records will do in its place.

    `timestamp` is the broker's time in milliseconds since 1970, UTC: when the record became known.
    """

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]] = ()


def known_time(timestamp: int) -> datetime:
    """A broker's time in milliseconds as an instant, UTC."""
    return datetime.fromtimestamp(timestamp / 1000, UTC)


@dataclass(frozen=True, slots=True)
class Place:
    """Where the records stand: a topic by name and Kafka's id, and a partition. Empty outside Kafka."""

    topic: str = ""
    topic_id: str = ""
    partition: int = -1


@dataclass(slots=True)
class Outcome:
    """What a batch led to. Verdicts and dead letters are records of the contract, ready to encode."""

    verdicts: list[dict[str, Any]] = field(default_factory=list)
    dead_letters: list[dict[str, Any]] = field(default_factory=list)
    changed: dict[str, PersonDossier] = field(default_factory=dict)
    counts: dict[tuple[str, int], list[tuple[int, datetime, str]]] = field(default_factory=dict)
    """The counters to which the batch added, by key and stretch of offsets: all that stands in those stretches."""
    judged: dict[str, Any] = field(default_factory=dict)
    due: dict[int, tuple[int, ...]] = field(default_factory=dict)
    """Instants at which time alone may change a result, milliseconds UTC, by the offset of what was judged."""
    rows: Mapping[bytes, Sequence[Any]] = field(default_factory=dict)
    """What was judged: rows of the engine, by the header of their schema."""


def identity(*parts: object) -> str:
    """A deterministic id: 32 hexadecimal digits of SHA-256 over the parts."""
    return hashlib.sha256("\x1f".join(map(str, parts)).encode()).hexdigest()[:32]


def dead_letter(place: Place, controller_id: str, record: SaidRecord, reason: str, message: str) -> dict[str, Any]:
    """A dead letter of the screening, with the original bytes and coordinates."""
    return {
        "dead_letter_id": dead_letter_id(place.topic_id, place.partition, record.offset),
        "controller_id": controller_id,
        "stage": "screening",
        "reason": reason,
        "message": message,
        "topic": place.topic,
        "partition": place.partition,
        "offset": record.offset,
        "timestamp": known_time(record.timestamp),
        "key": record.key,
        "value": record.value,
        "headers": [{"key": key, "value": value} for key, value in record.headers],
    }
