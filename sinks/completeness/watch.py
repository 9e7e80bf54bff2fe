"""Turns raw Kafka records of events topics into alerts on what is missing, ready to be published.

One watch reads all partitions of a topic: the numbers of one source lie on all of them. Whoever feeds it keeps its
state together with how far it read, so that records are seen once; an alert that is published again has the same
`alert_id`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from inzage.schemas.codec import Schema, encode, read_datum, split
from inzage.schemas.emitter.message import SOURCE_HEADER, Message
from inzage.schemas.emitter.sequence import begins_at_one
from inzage.schemas.errors import ContractError
from inzage.schemas.topics import ControllerTopics
from inzage.sinks.completeness.said import numbers_of
from inzage.sinks.completeness.tracker import GRACE, SILENCE, Finding, Tracker

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MOST_NAMES = 10_000


@dataclass(frozen=True, slots=True)
class Watched:
    """An events topic. `whole` false: its oldest records were pruned before this watch began."""

    topic: str
    controller_id: str
    partitions: int
    whole: bool = True


@dataclass(slots=True)
class _Reading:
    """How far one topic was read: for each partition the broker time, in milliseconds."""

    watched: Watched
    tracker: Tracker
    read: list[int]


class Watch:
    """Watches topics; `grace` and `silence` in seconds (see `tracker`)."""

    def __init__(self, topics: Iterable[Watched], *, grace: float = GRACE, silence: float = SILENCE) -> None:
        self._readings = {
            watched.topic: _Reading(
                watched,
                Tracker(watched.topic, grace=grace, silence=silence, whole=watched.whole),
                [0] * watched.partitions,
            )
            for watched in topics
        }
        self._names: dict[tuple[str, bytes], tuple[str, str]] = {}

    def see(
        self, topic: str, partition: int, records: Sequence[Any], *, also: Mapping[bytes, Schema] | None = None
    ) -> list[Message]:
        """Take in records that follow each other in a partition; returns the alerts that something arrived after all.

        A record has `headers`, `value` and `timestamp` (milliseconds) as Kafka's clients give them. `also` holds
        schemas read from the schemas topic.
        """
        if not records:
            return []
        reading = self._readings[topic]
        at = records[-1].timestamp
        numbers, rest = numbers_of(records)
        found: list[Finding] = []
        for source, of_source in numbers.items():
            found += reading.tracker.see(*self._named(topic, source), of_source, at)
        for record in rest:
            beat = _heartbeat(record.value, also or {})
            if beat:
                found += reading.tracker.hear(beat, record.timestamp)
        reading.read[partition] = max(reading.read[partition], at)
        return [_alert(reading.watched, finding) for finding in found]

    def caught_up(self, topic: str, partition: int, at: int) -> None:
        """Note that nothing was left to read in a partition at `at`, in milliseconds by the broker's clock.

        Without it a partition to which nothing is written holds up what can be said of the whole topic.
        """
        read = self._readings[topic].read
        read[partition] = max(read[partition], at)

    def due(self) -> list[Message]:
        """The alerts that are due now that the partitions were read so far."""
        return [
            _alert(reading.watched, finding)
            for reading in self._readings.values()
            for finding in reading.tracker.due(min(reading.read))
        ]

    def state(self) -> dict[str, Any]:
        """Everything as JSON: by topic how far each partition was read, and its sources by key."""
        return {
            topic: {"read": reading.read[:], "sources": reading.tracker.state()}
            for topic, reading in self._readings.items()
        }

    def changed(self) -> dict[str, Any]:
        """As `state`, with only the sources that changed since the last call of either; None: forget that source."""
        return {
            topic: {"read": reading.read[:], "sources": reading.tracker.changed()}
            for topic, reading in self._readings.items()
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from `state`, that of `state()`; topics that are no longer watched are left out."""
        for topic, kept in state.items():
            if reading := self._readings.get(topic):
                reading.read[:] = kept["read"]
                reading.tracker.restore(kept["sources"])

    def _named(self, topic: str, source: bytes) -> tuple[str, str]:
        """System and instance, which stand in the header with a slash between them."""
        names = self._names.get((topic, source))
        if names is None:
            if len(self._names) >= _MOST_NAMES:
                self._names.clear()
            names = self._names[(topic, source)] = _split(topic, source.decode(errors="replace"))
        return names


def _split(topic: str, source: str) -> tuple[str, str]:
    if begins_at_one(source, topic):
        system, _, process = source.removesuffix(f"/{topic}").rpartition("/")
        return system, f"{process}/{topic}"
    system, _, instance = source.partition("/")
    return system, instance


def _heartbeat(value: bytes | None, also: Mapping[bytes, Schema]) -> dict[str, Any] | None:
    if value is None:
        return None
    try:
        schema = split(value, also=also)
        return read_datum(schema, value[len(schema.header) :]) if schema.name == "heartbeat" else None
    except ContractError:
        return None  # a dead letter of the trail; here it is a heartbeat that did not come


def _alert(watched: Watched, finding: Finding) -> Message:
    what = (finding.first, finding.last) if finding.first is not None else (finding.since,)
    parts = (watched.topic, finding.source_system, finding.source_instance, finding.kind, *what)
    record: dict[str, Any] = {
        "alert_id": hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest(),
        "controller_id": watched.controller_id,
        "source_system": finding.source_system,
        "source_instance": finding.source_instance,
        "topic": watched.topic,
        "kind": str(finding.kind),
        "first_missing": finding.first,
        "last_missing": finding.last,
        "missing": finding.missing,
        "since": _time(finding.since),
        "detected_at": _time(finding.detected_at),
        "last_seen": _time(finding.last_seen),
    }
    headers = [
        ("ce_specversion", b"1.0"),
        ("ce_id", record["alert_id"].encode()),
        ("ce_type", b"inzage.v1.Incompleteness"),
        (SOURCE_HEADER, f"/inzage/{watched.controller_id.lower()}/completeness".encode()),
        ("ce_time", record["detected_at"].isoformat().encode()),
    ]
    topic = ControllerTopics(watched.controller_id).incompleteness
    return Message(topic, finding.source_instance.encode(), encode("incompleteness", record), headers)


def _time(milliseconds: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=milliseconds)
