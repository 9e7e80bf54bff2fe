"""Says which records an outcome of the screening becomes, and on which topics they go."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from inzage.schemas.codec import encode
from inzage.schemas.topics import ControllerTopics, Theme
from inzage.streams.dossier.store import count_key, count_message, dossier_message
from inzage.streams.screening.record import Outcome
from inzage.streams.transport.publisher import OutgoingRecord


def decisions(topics: ControllerTopics, outcome: Outcome) -> Iterator[OutgoingRecord]:
    """Verdicts, violations by theme, dead letters, and the report that says which offsets were judged."""
    yield from verdict_records(topics, outcome.verdicts)
    for letter in outcome.dead_letters:
        headers = _headers(letter["dead_letter_id"], "dead-letter", topics, letter["timestamp"])
        yield OutgoingRecord(topics.dead_letters, letter["key"], encode("dead_letter", letter), headers)
    yield _report(topics, outcome.judged)


def verdict_records(topics: ControllerTopics, verdicts: Iterable[Mapping[str, Any]]) -> Iterator[OutgoingRecord]:
    """Each verdict, and each violation once more on the topic of its theme."""
    for verdict in verdicts:
        value = encode("verdict", verdict)
        headers = _headers(verdict["verdict_id"], "verdict", topics, verdict["evaluated_at"])
        key = verdict["subject"].encode()
        yield OutgoingRecord(topics.verdicts, key, value, headers)
        if verdict["result"] == "VIOLATION":
            yield OutgoingRecord(topics.violations(Theme(verdict["theme"])), key, value, headers)


def state(topics: ControllerTopics, outcome: Outcome, partition: int) -> Iterator[OutgoingRecord]:
    """Dossiers as they are now, and what changed of counters.

    They go on the partition of the dossiers topic that mirrors the events'.
    """
    for subject, dossier in outcome.changed.items():
        yield OutgoingRecord(topics.dossiers, subject.encode(), dossier_message(dossier), partition=partition)
    for (key, stretch), counted in outcome.counts.items():
        message = count_message(key, stretch, counted)
        yield OutgoingRecord(topics.dossiers, count_key(key, stretch), message, partition=partition)


def _report(topics: ControllerTopics, judged: Mapping[str, Any]) -> OutgoingRecord:
    key = f"{judged['topic']}/{judged['partition']}".encode()
    return OutgoingRecord(topics.verdicts, key, encode("judged", judged))


def _headers(identifier: str, kind: str, topics: ControllerTopics, at: datetime) -> tuple[tuple[str, bytes], ...]:
    return (
        ("ce_specversion", b"1.0"),
        ("ce_id", identifier.encode()),
        ("ce_type", f"inzage.{kind}.v1".encode()),
        ("ce_source", f"/inzage/{topics.controller.lower()}/screening".encode()),
        ("ce_time", at.isoformat().encode()),
    )
