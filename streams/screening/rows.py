"""Makes the rows that are judged: of an event, or of a fact, since some promises are about what was said."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from inzage.schemas.codec import HEADER_BYTES, encode
from inzage.streams.screening.engine import Row
from inzage.streams.screening.record import SaidRecord


def row_of(record: SaidRecord) -> Row:
    """The row of an activity, which sees what was said before it."""
    assert record.value is not None
    place, time = record.offset, record.timestamp
    return Row(place, time, record.value[HEADER_BYTES:], "", place, time)


def row_of_fact(record: SaidRecord, fact: Mapping[str, Any]) -> Row:
    """The row of a decoded fact; it is in its dossier when it is judged."""
    datum = encode("activity", as_activity(fact))[HEADER_BYTES:]
    kind = fact["body"][0].rpartition(".")[2]
    return Row(record.offset, record.timestamp, datum, kind, record.offset + 1, record.timestamp)


def as_activity(fact: Mapping[str, Any]) -> dict[str, Any]:
    """An activity that stands for `fact`: its references where an event has them, and the time it speaks of."""
    _, body = fact["body"]
    spoken_of = next((body[name] for name in ("opened_at", "given_at", "valid_from") if body.get(name)), None)
    return {
        "event_id": fact["fact_id"],
        "event_type": "OTHER",
        "occurred_at": spoken_of or fact["recorded_at"],
        "recorded_at": fact["recorded_at"],
        "controller_id": fact["controller_id"],
        "source_system": fact["source_system"],
        "actor": {},
        "subject": {"pseudonym": fact["subject"]},
        **{name: body[name] for name in ("emergency_ref", "consent_ref", "case_ref") if body.get(name)},
    }
