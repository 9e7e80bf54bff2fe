"""An explanation tells what happened, what it rests on as it was known, and what would have been lawful."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from inzage.console.main import main

EVENT = {
    "event_id": "E-1",
    "event_type": "DisclosureEvent",
    "occurred_at": "2026-03-29T03:30:00+02:00",  # the first half hour of summer time in Brussels
    "recorded_at": "2026-03-29T03:31:00+02:00",
    "controller_id": "CIGNA",
    "source_system": "crm",
    "outcome": "SUCCESS",
    "action": "DISCLOSE",
    "actor": {"id": "ACT-1", "type": "HUMAN", "role": "CASE_MANAGER", "org_id": "ORG-OWN"},
    "subject": {"pseudonym": "SUB-1", "relation": "INSURED_EMPLOYEE"},
    "data_categories": ["HEALTH_MENTAL", "IDENTITY"],
    "special_category": True,
    "purpose": "CARE_COORDINATION",
    "legal_basis": "CONTRACT_PERFORMANCE",
    "special_basis": "ART9_EXPLICIT_CONSENT",
    "consent_ref": "CONS-1",
    "recipient": {"org_id": "ORG-EMPLOYER", "category": "EMPLOYER", "processing_country": "US"},
}
_FACT = {"recorded_at": "2025-02-01T00:00:00Z", "controller_id": "CIGNA", "source_system": "crm"}
EMPLOYER = {**_FACT, "type": "OrganisationRegistered", "fact_id": "f-employer", "org_id": "ORG-EMPLOYER"}
CONSENT = {
    **_FACT,
    "type": "ConsentGiven",
    "fact_id": "f-given",
    "subject": "SUB-1",
    "consent_ref": "CONS-1",
    "explicit": True,
    "given_by": "SUB-1",
    "given_at": "2025-02-01T00:00:00+01:00",
    "scope": {"recipient_org_ids": ["ORG-EMPLOYER"], "data_categories": ["HEALTH_MENTAL", "IDENTITY"]},
}
WITHDRAWN = {
    **_FACT,
    "type": "ConsentWithdrawn",
    "fact_id": "f-withdrawn",
    "subject": "SUB-1",
    "consent_ref": "CONS-1",
    "recorded_at": "2026-04-05T10:00:00Z",
    "withdrawn_at": "2026-03-01T00:00:00+01:00",
}


def _explained(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], facts: list[dict[str, Any]], *, output: str = "json"
) -> Any:
    file = tmp_path / "said.jsonl"
    lines = [
        *({"fact": {**EMPLOYER, "category": "EMPLOYER"}},),
        *({"fact": fact} for fact in facts),
        {"event": EVENT},
    ]
    file.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    with pytest.raises(SystemExit) as ended:
        main(["screen", str(file), "--explain", "--output", output])
    assert ended.value.code == 1
    shown = capsys.readouterr().out
    if output == "table":
        return shown
    return {row["rule_id"]: row["explanation"] for row in json.loads(shown) if "explanation" in row}


def test_a_late_withdrawal_is_told_with_both_statements(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The interval takes both statements to tell, and the verdict came about by the later one."""
    told = _explained(tmp_path, capsys, [CONSENT, WITHDRAWN])["CIGNA-55"]
    [fact] = [fact for fact in told["facts"] if fact["kind"] == "consents"]
    assert (fact["key"], fact["version"], fact["statement"]) == ("CONS-1", "f-withdrawn", "ConsentWithdrawn")
    assert (fact["holds_from"], fact["holds_to"]) == ("2025-01-31T23:00:00+00:00", "2026-02-28T23:00:00+00:00")
    assert fact["known_at"] == "2026-04-05T10:00:00+00:00"
    [rests_on] = [line for line in told["rests_on"] if "CONS-1" in line]
    assert (
        "until 1 March 2026 at 00:00:00 (CET); known since 5 April 2026 at 12:00:00 (CEST), after the event"
        in rests_on
    )
    assert "data categories: Mental Health, identity" in rests_on and "SUB-1" not in rests_on
    [earlier] = told["earlier"]
    assert earlier.startswith("complied") and "consent withdrawn of CONS-1 (f-withdrawn) became known" in earlier


def test_what_happened_is_told_in_the_time_of_the_office(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = _explained(tmp_path, capsys, [])["CIGNA-55"]["what_happened"]
    assert told[0] == (
        "On 29 March 2026 at 03:30:00 (CEST), somebody in the role CASE_MANAGER at ORG-OWN disclosed data of the "
        "person known as SUB-1 (insured employee), to ORG-EMPLOYER (employer, processing in US)."
    )
    assert told[1] == "Data concerned: Mental Health, identity."
    assert told[3] == "It refers to CONS-1."
    assert all("ACT-1" not in line for line in told)


def test_an_office_may_have_another_zone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INZAGE_TIME_ZONES", json.dumps({"cigna": "Africa/Nairobi"}))
    told = _explained(tmp_path, capsys, [])["CIGNA-55"]["what_happened"]
    assert told[0].startswith("On 29 March 2026 at 04:30:00 (EAT)")
    monkeypatch.setenv("INZAGE_TIME_ZONES", json.dumps({"CIGNA": "Europe/Atlantis"}))
    with pytest.raises(SystemExit) as ended:
        main(["screen", str(tmp_path / "said.jsonl"), "--explain"])
    assert ended.value.code == 2 and "time_zones.CIGNA" in capsys.readouterr().err


def test_what_was_looked_for_in_vain_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = _explained(tmp_path, capsys, [])["CIGNA-55"]
    assert told["facts"] == []
    assert told["rests_on"] == ["Looked for, and nothing was known that bears on it: consent, emergency."]
    assert "earlier" not in told


def test_a_complying_example_stands_in_for_a_remedy(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = _explained(tmp_path, capsys, [CONSENT, WITHDRAWN])["CIGNA-55"]
    assert told["remedy"][0].startswith("The entry's own examples") and len(told["remedy"]) > 1
    text = _explained(tmp_path, capsys, [CONSENT, WITHDRAWN], output="table")
    for heading in ("What happened", "What was promised", "Why this breaks", "What would have made it lawful"):
        assert heading in text


def test_a_correction_takes_the_place_of_what_it_corrects(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The interval is that of the correction: what was withdrawn from the first is of no account."""
    corrected = {**CONSENT, "fact_id": "f-again", "corrects": "f-given", "expires_at": "2026-01-01T00:00:00+01:00"}
    told = _explained(tmp_path, capsys, [CONSENT, corrected])["CIGNA-55"]
    [fact] = told["facts"]
    assert (fact["version"], fact["holds_to"]) == ("f-again", "2025-12-31T23:00:00+00:00")
