"""The report to a person leaves out nothing that the trail knows, and names nobody of the staff."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from inzage.console.subject_export import export_of
from inzage.console.subject_report import report_of, tables_of
from inzage.schemas import json_face
from inzage.sinks.kept import Kept

_BASE = {
    "event_type": "DisclosureEvent",
    "controller_id": "CIGNA",
    "source_system": "claims",
    "actor": {"id": "STAFF-7", "role": "CLAIMS_HANDLER", "org_id": "ORG-OWN"},
    "subject": {"pseudonym": "SUB-1"},
    "data_categories": ["IDENTITY"],
    "purpose": "CLAIMS_HANDLING",
    "legal_basis": "CONTRACT_PERFORMANCE",
}
_EVENTS: list[dict[str, Any]] = [
    {"action": "READ", "event_type": "AccessEvent", "approver": {"id": "STAFF-8", "role": "DPO"}},
    {"recipient": {"org_id": "ORG-HOSPITAL", "category": "HEALTHCARE_PROVIDER", "processing_country": "BE"}},
    {
        "recipient": {"org_id": "ORG-HOSPITAL", "category": "HEALTHCARE_PROVIDER", "processing_country": "BE"},
        "data_categories": ["CLAIM"],
    },
    {"recipient": {"org_id": "ORG-OWN"}},
    {"recipient": {"person": "SUB-1", "category": "DATA_SUBJECT"}},
    {"recipient": {"org_id": "ORG-REFUSED"}, "outcome": "DENIED"},
    {
        "action": "READ",
        "event_type": "AccessEvent",
        "actor": {"id": "OTHER-1", "org_id": "ORG-IT", "access_country": "IN"},
        "transfer": {"destination_country": "IN", "instrument": "SCC_COMMISSION", "instrument_ref": "SCC-1"},
    },
    {"recipient": {"org_id": "ORG-US", "processing_country": "US"}},
    {"event_type": "CollectionEvent", "action": "COLLECT", "source_type": "EMPLOYER", "source_id": "ORG-EMPLOYER"},
    {
        "event_type": "DecisionEvent",
        "action": "DECIDE",
        "decision_type": "CLAIM",
        "decision_outcome": "REFUSED",
        "automation_level": "MANUAL",
        "human_reviewer_id": "STAFF-9",
        "reason_codes": ["NOT_COVERED"],
    },
]
_FACTS: list[dict[str, Any]] = [
    {
        "type": "RecordRegistered",
        "record_id": "REC-1",
        "subject": "SUB-1",
        "data_category": "CLAIM",
        "retention_rule_id": "R-1",
        "retention_until": "2036-01-01",
    },
    {"type": "RecordRegistered", "record_id": "REC-2", "subject": "SUB-1", "data_category": "IDENTITY"},
    {
        "type": "LegalHoldPlaced",
        "hold_ref": "H-1",
        "record_id": "REC-1",
        "subject": "SUB-1",
        "ground": "PROCEEDINGS",
        "matter_ref": "M-1",
        "placed_at": "2026-01-01T00:00:00Z",
    },
    {
        "type": "LegalHoldPlaced",
        "hold_ref": "H-2",
        "record_id": "REC-2",
        "subject": "SUB-1",
        "ground": "CLAIM",
        "matter_ref": "M-2",
        "placed_at": "2026-01-01T00:00:00Z",
    },
    {"type": "LegalHoldReleased", "hold_ref": "H-2", "subject": "SUB-1", "released_at": "2026-02-01T00:00:00Z"},
]
_REFERENCES: list[dict[str, Any]] = [
    {"type": "OrganisationRegistered", "fact_id": "own", "org_id": "ORG-OWN", "own_organisation": True},
    {"type": "InstrumentSigned", "fact_id": "scc", "instrument_ref": "SCC-1", "instrument": "SCC_COMMISSION",
     "valid_from": "2025-01-01T00:00:00+00:00"},
    {"type": "RetentionRuleSet", "fact_id": "rule", "retention_rule_id": "R-1", "data_category": "CLAIM",
     "period": "P10Y", "start_event": "COVER_TERMINATED"},
]  # fmt: skip


def _kept(number: int, line: dict[str, Any]) -> Kept:
    said = json_face.read(line, controller_id="CIGNA")
    return Kept(said, "topic", 0, number, datetime(2026, 3, 1, tzinfo=UTC))


def _report() -> dict[str, Any]:
    events = [
        {"event": {**_BASE, "event_id": f"E-{n}", "occurred_at": f"2026-03-{n + 1:02}T12:00:00Z", **event}}
        for n, event in enumerate(_EVENTS)
    ]
    facts = [
        {"fact": {"fact_id": f"F-{n}", "recorded_at": "2026-01-01T00:00:00Z", "source_system": "crm", **fact}}
        for n, fact in enumerate(_FACTS)
    ]
    kept = [_kept(number, line) for number, line in enumerate((*events, *facts))]
    export = export_of("SUB-1", "ACTIVE", kept, [], None, with_staff=None)
    return report_of(export, _REFERENCES, "privacy@example.org")


def test_every_recipient_is_told_by_identity_and_nothing_that_did_not_happen() -> None:
    told = {row["recipient"]: row for row in _report()["recipients"]}
    assert set(told) == {"ORG-HOSPITAL", "ORG-IT", "ORG-US"}
    hospital = told["ORG-HOSPITAL"]
    assert (hospital["times"], hospital["data"], hospital["for"]) == (2, ["CLAIM", "IDENTITY"], ["CLAIMS_HANDLING"])


def test_looks_are_told_with_role_and_organisation_and_nobody_is_named() -> None:
    report = _report()
    assert [(look["by_role"], look["of_organisation"]) for look in report["consultations"]] == [
        ("CLAIMS_HANDLER", "ORG-OWN"),
        (None, "ORG-IT"),
    ]
    assert "STAFF-" not in json.dumps(report, default=str)


def test_transfers_outside_the_eea_name_their_safeguard_and_where_to_have_a_copy() -> None:
    clauses, bare = _report()["transfers"]
    assert (clauses["to"], clauses["recipient"], clauses["protected_by"]) == ("IN", "ORG-IT", "SCC_COMMISSION")
    assert clauses["copy"] == "ask privacy@example.org for SCC-1" and clauses["in_force"][0].startswith("2025-01-01")
    assert (bare["to"], bare["copy"]) == ("US", None) and "nothing" in bare["protected_by"]


def test_records_have_rule_period_start_end_and_holds() -> None:
    ruled, bare = _report()["retention"]
    assert (ruled["rule"], ruled["period"], ruled["counts_from"]) == ("R-1", "P10Y", "COVER_TERMINATED")
    assert (ruled["until"][:10], ruled["held_for"]) == ("2036-01-01", ["PROCEEDINGS"])
    assert (bare["rule"], bare["held_for"]) == (None, []), "a hold that was released holds nothing"


def test_purposes_sources_and_decisions_are_told() -> None:
    report = _report()
    assert [(row["purpose"], row["basis"]) for row in report["purposes"]] == [
        ("CLAIMS_HANDLING", ["CONTRACT_PERFORMANCE"])
    ]
    assert [(row["source"], row["source_id"]) for row in report["sources"]] == [("EMPLOYER", "ORG-EMPLOYER")]
    assert [row["reason_codes"] for row in report["decisions"]] == [["NOT_COVERED"]]
    assert len(tables_of(report)) == 7


def test_a_decision_that_weighed_it_lets_staff_be_named() -> None:
    kept = [_kept(0, {"event": {**_BASE, "event_id": "E-0", "occurred_at": "2026-03-01T12:00:00Z"}})]
    named = export_of("SUB-1", "ACTIVE", kept, [], None, with_staff="DPO-2026-4")
    unnamed = export_of("SUB-1", "ACTIVE", kept, [], None, with_staff=None)
    assert named["events"][0]["actor"]["id"] == "STAFF-7" and named["staff_named_by_decision"] == "DPO-2026-4"
    assert "id" not in unnamed["events"][0]["actor"] and "staff_named_by_decision" not in unnamed
