"""Shows a person what the trail holds about them, in words and in a form of theirs to keep (GDPR 15 and 20).

Who looked is not told by default: the person may know when and why their data were consulted, and by which
organisation in which role, not which employee did (CJEU C-579/21, 22 June 2023). Recipients are told (C-154/21).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from inzage.schemas.emitter.words import decrypt_words
from inzage.schemas.json_face import write
from inzage.sinks.kept import Kept

_STAFF: tuple[tuple[str, ...], ...] = (
    ("actor", "id"),
    ("actor", "on_behalf_of"),
    ("approver", "id"),
    ("human_reviewer_id",),
    ("actor_id",),
    ("assigned_actor_ids",),
    ("clinical_certification", "certifier_id"),
    ("approved_by",),
    ("approver",),
    ("reviewed_by",),
    ("set_by",),
)
"""Where a record may name somebody who works there, in its JSON face."""

_EVENT_COLUMNS = (
    *("occurred_at", "event_type", "action", "purpose", "legal_basis", "data_categories", "recipient", "words"),
)
_FACT_COLUMNS = ("recorded_at", "type", "states")
VERDICT_COLUMNS = ("occurred_at", "result", "heading", "promise", "articles", "reason")


def export_of(
    reference: str,
    state: str,
    kept: Iterable[Kept],
    verdicts: Iterable[Mapping[str, Any]],
    key: AESGCM | None,
    *,
    with_staff: str | None,
) -> dict[str, Any]:
    """Everything about the person behind `reference`; without `key` each record names what is unreadable in it.

    `with_staff` is the decision that allows to tell who looked; without one, nobody of the staff is named.
    """
    events: list[dict[str, Any]] = []
    facts: list[dict[str, Any]] = []
    for record in kept:
        readable = decrypt_words(record.said, key)
        face = next(iter(write(readable.said.kind, readable.said.record).values()))
        if not with_staff:
            _leave_out_staff(face, reference)
        face["kept_at"] = record.kept_at
        face["kept_as"] = f"{record.topic}/{record.partition}/{record.offset}"
        if readable.unreadable:
            face["unreadable"] = list(readable.unreadable)
        (events if readable.said.kind == "activity" else facts).append(face)
    return {
        "subject": reference,
        "state": state,
        "exported_at": datetime.now(UTC),
        **({"staff_named_by_decision": with_staff} if with_staff else {}),
        "events": sorted(events, key=lambda face: face["occurred_at"]),
        "facts": sorted(facts, key=lambda face: face["recorded_at"]),
        "verdicts": [dict(verdict) for verdict in verdicts],
    }


def lines_of(export: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The same line by line: first whose it is, then each record with its kind."""
    head = {name: value for name, value in export.items() if not isinstance(value, list)}
    return [
        {"kind": "subject", **head},
        *(
            {"kind": name.removesuffix("s"), **record}
            for name in ("events", "facts", "verdicts")
            for record in export[name]
        ),
    ]


def tables_of(export: Mapping[str, Any]) -> list[tuple[str, tuple[str, ...], list[dict[str, Any]]]]:
    """Title, columns and rows of each table for a person at a screen."""
    revealing = ("break_glass_reason", "filter", "unrecognised", "unreadable")
    events = [
        {**event, "words": {name: event[name] for name in revealing if name in event} or None}
        for event in export["events"]
    ]
    apart = {"type", "recorded_at", "subject", "fact_id", "kept_at", "kept_as", "source_instance", "source_sequence"}
    facts = [
        {**fact, "states": {name: value for name, value in fact.items() if name not in apart}}
        for fact in export["facts"]
    ]
    return [
        ("What was done with your data", _EVENT_COLUMNS, events),
        ("What is known about you", _FACT_COLUMNS, facts),
        ("How it was judged", VERDICT_COLUMNS, list(export["verdicts"])),
    ]


def _leave_out_staff(face: dict[str, Any], reference: str) -> None:
    """The person themselves stays: they know that they looked."""
    for path in _STAFF:
        holder: Any = face
        for name in path[:-1]:
            holder = holder.get(name) if isinstance(holder, dict) else None
        if isinstance(holder, dict) and holder.get(path[-1]) not in (None, reference):
            value = holder[path[-1]]
            if not isinstance(value, dict):  # `approver` is a record in events and a text in facts
                del holder[path[-1]]
