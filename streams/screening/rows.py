"""Makes the rows that are judged: of an event, or of a fact, since some promises are about what was said."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from inzage.schemas.codec import encode_datum
from inzage.streams.screening.record import SaidRecord
from inzage.streams.screening.row import Row

_REFERENCES = (
    "emergency_ref",
    "consent_ref",
    "case_ref",
    "request_ref",
    "matter_ref",
    "mandate_ref",
    "application_ref",
)
_TIMES = ("opened_at", "given_at", "placed_at", "erased_at", "refused_at", "received_at", "owed_from", "valid_from")


def row_of(record: SaidRecord, datum: bytes) -> Row:
    """The row of an activity, which sees what was said before it."""
    place, time = record.offset, record.timestamp
    return Row(place, time, datum, "", place, time)


def row_of_fact(record: SaidRecord, fact: Mapping[str, Any]) -> Row:
    """The row of a decoded fact; it is in its dossier when it is judged."""
    datum = encode_datum("activity", as_activity(fact))
    kind = fact["body"][0].rpartition(".")[2]
    return Row(record.offset, record.timestamp, datum, kind, record.offset + 1, record.timestamp)


def as_activity(fact: Mapping[str, Any]) -> dict[str, Any]:
    """An activity that stands for `fact`: its references where an event has them, and the time it speaks of."""
    kind, body = fact["body"]
    spoken_of = next((body[name] for name in _TIMES if body.get(name)), None)
    refused = kind.endswith(".RightsRequestRefused")
    return {
        "event_id": fact["fact_id"],
        "event_type": "OTHER",
        "occurred_at": spoken_of or fact["recorded_at"],
        "recorded_at": fact["recorded_at"],
        "controller_id": fact["controller_id"],
        "source_system": fact["source_system"],
        "actor": {},
        "subject": {"pseudonym": fact["subject"]},
        **{name: body[name] for name in _REFERENCES if body.get(name)},
        **({"record": {"record_id": body["record_id"]}} if body.get("record_id") else {}),
        **({"refusal_ground": body["ground"]} if refused else {}),
    }
