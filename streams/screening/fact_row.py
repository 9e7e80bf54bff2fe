"""Lets a fact be judged like an event: some promises are about what was said, not about what was done."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_REFERENCES = (
    "emergency_ref",
    "consent_ref",
    "case_ref",
    "request_ref",
    "matter_ref",
    "mandate_ref",
    "application_ref",
)
_TIMES = ("opened_at", "given_at", "placed_at", "erased_at", "refused_at", "valid_from")


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
