"""Answers what a person may ask about their data: why, to whom, where, from whom, how long, who looked (GDPR 15).

Made from what the trail holds, so nothing that is known is left out. Recipients are told by identity (C-154/21); of
staff who looked only role and organisation are (C-579/21). Transfers outside the EEA come with what protects them and
where to ask for a copy of it, and records with how long they are kept and what holds them longer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from inzage.streams.dossier.law import law

Face = Mapping[str, Any]
Table = tuple[str, tuple[str, ...], list[dict[str, Any]]]

_LOOKS = frozenset({"READ", "SEARCH", "REMOTE_ACCESS", "DOWNLOAD", "EXPORT", "COPY", "PLAY", "PRINT"})
_TITLES = {
    "purposes": "What your data are used for",
    "recipients": "Who received your data",
    "consultations": "When your data were looked at",
    "sources": "Where your data come from",
    "transfers": "Which data went outside the EEA, and what protects them there",
    "retention": "How long your data are kept",
    "decisions": "What was decided about you",
}


def report_of(export: Face, references: Iterable[Face], contact: str) -> dict[str, Any]:
    """The report on what `export_of` gives; `references` are the controller's facts in their JSON face.

    `contact` is where copies of safeguards can be had. Each part is a list of rows, oldest first, times as exported.
    """
    happened = [event for event in export["events"] if event.get("outcome") not in ("DENIED", "FAILED")]
    by_kind: dict[str, list[Face]] = {}
    for fact in (*export["facts"], *references):
        by_kind.setdefault(fact["type"], []).append(fact)
    own = {fact["org_id"] for fact in by_kind.get("OrganisationRegistered", ()) if fact.get("own_organisation")}
    return {
        "subject": export["subject"],
        "made_at": export["exported_at"],
        "purposes": _grouped(happened, lambda event: {"purpose": event.get("purpose"), "basis": _bases(event)}),
        "recipients": _grouped(
            [event for event in happened if _receiver(event, own) is not None], lambda event: _receiver(event, own)
        ),
        "consultations": [_look(event) for event in happened if event.get("action") in _LOOKS],
        "sources": _grouped(
            [event for event in happened if event.get("source_type")],
            lambda event: {"source": event["source_type"], "source_id": event.get("source_id")},
        ),
        "transfers": _transfers(happened, own, by_kind.get("InstrumentSigned", ()), contact),
        "retention": _retention(by_kind),
        "decisions": [_decision(event) for event in happened if event["event_type"] == "DecisionEvent"],
    }


def tables_of(report: Face) -> list[Table]:
    """Title, columns and rows of each part, for a person at a screen; parts without rows are left out."""
    return [(title, tuple(report[name][0]), list(report[name])) for name, title in _TITLES.items() if report[name]]


def _bases(event: Face) -> list[str]:
    stated = (event.get("legal_basis"), event.get("special_basis"), event.get("art10_basis"))
    return [basis for basis in stated if basis]


def _receiver(event: Face, own: set[str]) -> dict[str, Any] | None:
    """Who received, by identity where it is known: also an outside organisation whose people looked themselves."""
    recipient, actor = event.get("recipient") or {}, event.get("actor") or {}
    if recipient:
        who = recipient.get("org_id") or recipient.get("person") or recipient.get("category")
        if who in own or who == event["controller_id"] or who == event["subject"]["pseudonym"]:
            return None
        country = recipient.get("processing_country") or recipient.get("establishment_country")
        return {"recipient": who, "category": recipient.get("category"), "country": country}
    org_id = actor.get("org_id")
    if event.get("action") in _LOOKS and org_id and org_id not in own and org_id != event["controller_id"]:
        return {"recipient": org_id, "category": None, "country": actor.get("access_country")}
    return None


def _grouped(events: Iterable[Face], key: Callable[[Face], dict[str, Any] | None]) -> list[dict[str, Any]]:
    """One row for each different key, with the categories, the purposes, how often, and from when until when."""
    rows: dict[str, dict[str, Any]] = {}
    for event in events:
        said = key(event) or {}
        row = rows.setdefault(
            repr(said), {**said, "data": set(), "for": set(), "times": 0, "first": event["occurred_at"], "last": None}
        )
        row["data"].update(event.get("data_categories", ()))
        row["for"].update([event["purpose"]] if event.get("purpose") else ())
        row["times"] += 1
        row["last"] = event["occurred_at"]
    shown = [{**row, "data": sorted(row["data"]), "for": sorted(row["for"])} for row in rows.values()]
    return [{name: value for name, value in row.items() if not (name == "for" and "purpose" in row)} for row in shown]


def _look(event: Face) -> dict[str, Any]:
    actor = event.get("actor") or {}
    return {
        "at": event["occurred_at"],
        "purpose": event.get("purpose"),
        "by_role": actor.get("role"),
        "of_organisation": actor.get("org_id"),
        "data": event.get("data_categories", []),
    }


def _transfers(
    events: Iterable[Face], own: set[str], instruments: Sequence[Face], contact: str
) -> list[dict[str, Any]]:
    rows = []
    signed = {fact.get("instrument_ref"): fact for fact in instruments}
    for event in events:
        transfer, receiver = event.get("transfer") or {}, _receiver(event, own)
        country = transfer.get("destination_country") or (receiver or {}).get("country")
        organisation = transfer.get("destination_organisation")
        if not organisation and (country is None or country in law().eea or not (receiver or transfer)):
            continue
        instrument = signed.get(transfer.get("instrument_ref"), {})
        rows.append(
            {
                "at": event["occurred_at"],
                "to": organisation or country,
                "recipient": (receiver or {}).get("recipient"),
                "data": event.get("data_categories", []),
                "protected_by": transfer.get("instrument") or "nothing that the trail knows of",
                "reference": transfer.get("instrument_ref"),
                "in_force": [instrument.get("valid_from"), instrument.get("valid_to")] if instrument else None,
                "copy": f"ask {contact} for {transfer['instrument_ref']}" if transfer.get("instrument_ref") else None,
            }
        )
    return rows


def _retention(by_kind: Mapping[str, Sequence[Face]]) -> list[dict[str, Any]]:
    rules = {rule.get("retention_rule_id"): rule for rule in by_kind.get("RetentionRuleSet", ())}
    by_category = {rule.get("data_category"): rule for rule in by_kind.get("RetentionRuleSet", ())}
    erased = {fact.get("record_id"): fact.get("erased_at") for fact in by_kind.get("DataErased", ())}
    released = {fact.get("hold_ref") for fact in by_kind.get("LegalHoldReleased", ())}
    held: dict[str, list[str]] = {}
    for hold in by_kind.get("LegalHoldPlaced", ()):
        if hold.get("hold_ref") not in released:
            held.setdefault(hold.get("record_id", ""), []).append(
                hold.get("ground") or hold.get("hold_ref") or "hold"
            )
    records = {record["record_id"]: record for record in by_kind.get("RecordRegistered", ())}
    ended = [fact.get("terminated_at") for fact in by_kind.get("CoverTerminated", ())]
    rows = []
    for record in records.values():
        rule = rules.get(record.get("retention_rule_id")) or by_category.get(record.get("data_category")) or {}
        rows.append(
            {
                "record": record["record_id"],
                "data": record.get("data_category"),
                "rule": rule.get("retention_rule_id"),
                "period": rule.get("period"),
                "counts_from": rule.get("start_event") or (ended[-1] if ended else None),
                "until": record.get("retention_until"),
                "held_for": held.get(record["record_id"], []),
                "erased_at": erased.get(record["record_id"]),
            }
        )
    return rows


def _decision(event: Face) -> dict[str, Any]:
    names = ("decision_type", "decision_outcome", "automation_level", "reason_codes", "logic_version")
    return {"at": event["occurred_at"], **{name: event.get(name) for name in names}}
