"""What is learnt late: the verdict that it changes is superseded, and names the earlier one and the fact."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import cache
from itertools import permutations
from typing import Any

import pytest

from inzage.schemas.json_lines import read_arrivals
from inzage.streams.screening.offline import OfflineScreening, Screened

CIGNA, EMPLOYER, BANK = "ORG-CIGNA-BE", "ORG-EMP", "ORG-US"
EVENT = {
    "event_id": "E1",
    "event_type": "DisclosureEvent",
    "occurred_at": "2026-03-02T12:00:00+01:00",
    "recorded_at": "2026-03-02T12:00:01+01:00",
    "controller_id": "CIGNA",
    "source_system": "TEST",
    "outcome": "SUCCESS",
    "action": "DISCLOSE",
    "actor": {"id": "A", "type": "HUMAN", "role": "CLAIMS", "org_id": CIGNA, "access_country": "BE"},
    "subject": {"pseudonym": "SUB-1", "relation": "INSURED_EMPLOYEE"},
    "data_categories": ["HEALTH_PHYSICAL"],
    "data_items": [],
    "data_state": "IDENTIFIED",
    "purpose": "CLAIMS_HANDLING",
    "legal_basis": "CONSENT",
    "special_basis": "ART9_EXPLICIT_CONSENT",
    "consent_ref": "C-1",
    "recipient": {
        "org_id": EMPLOYER,
        "category": "EMPLOYER",
        "role": "CONTROLLER",
        "establishment_country": "BE",
        "processing_country": "BE",
    },
}
OWN = {
    "type": "OrganisationRegistered",
    "fact_id": "own",
    "org_id": CIGNA,
    "own_organisation": True,
    "group_of": "CIGNA",
    "establishment_country": "BE",
}
EMP = {
    "type": "OrganisationRegistered",
    "fact_id": "emp",
    "org_id": EMPLOYER,
    "category": "EMPLOYER",
    "establishment_country": "BE",
}
GIVEN = {
    "type": "ConsentGiven",
    "fact_id": "given",
    "consent_ref": "C-1",
    "subject": "SUB-1",
    "explicit": True,
    "given_at": "2026-03-01T00:00:00+01:00",
    "scope": {
        "recipient_org_ids": [EMPLOYER],
        "data_categories": ["HEALTH_PHYSICAL"],
        "purposes": ["CLAIMS_HANDLING"],
    },
}
EARLY = "2026-01-01T00:00:00+01:00"
PROHIBITION = "CIGNA-55"


@cache
def shared() -> OfflineScreening:
    """The policies compiled once for all tests here."""
    return OfflineScreening()


def at(fact: dict[str, Any], when: str, **said: Any) -> dict[str, Any]:
    return {**fact, "recorded_at": when, **said}


def withdrawn(when: str, recorded: str) -> dict[str, Any]:
    return {
        "type": "ConsentWithdrawn",
        "fact_id": "withdrawn",
        "consent_ref": "C-1",
        "withdrawn_at": when,
        "recorded_at": recorded,
    }


def screened(*said: dict[str, Any], clock: tuple[datetime, ...] = ()) -> Screened:
    lines = [{"event" if "event_type" in one else "fact": one} for one in (at(OWN, EARLY), at(EMP, EARLY), *said)]
    numbered = [(number, json.dumps(line), line) for number, line in enumerate(lines, 1)]
    found = shared().screen(read_arrivals(numbered, strict=False, controller_id="CIGNA"), clock=clock)
    assert not found.refused
    return found


def of_rule(found: Screened, rule: str = PROHIBITION, event: str = "E1") -> list[dict[str, Any]]:
    return [verdict for verdict in found.verdicts if (verdict["rule_id"], verdict["event_id"]) == (rule, event)]


def test_a_consent_withdrawn_earlier_than_known() -> None:
    found = screened(at(GIVEN, EARLY), EVENT, withdrawn("2026-03-02T10:00:00+01:00", "2026-03-05T00:00:00+01:00"))
    (superseding,) = of_rule(found)
    assert (superseding["result"], superseding["revision"]) == ("VIOLATION", 1)
    assert superseding["supersedes"] and superseding["supersedes"] != superseding["verdict_id"]
    assert {"kind": "ConsentWithdrawn", "key": "C-1", "version": "withdrawn"} in superseding["facts"] or any(
        fact["version"] == "withdrawn" for fact in superseding["facts"]
    )
    assert superseding["evaluated_at"] == datetime(2026, 3, 4, 23, tzinfo=UTC)


def test_a_withdrawal_after_the_event_changes_nothing() -> None:
    found = screened(at(GIVEN, EARLY), EVENT, withdrawn("2026-03-02T12:00:00.5+01:00", "2026-03-05T00:00:00+01:00"))
    assert of_rule(found) == []


@pytest.mark.parametrize(
    ("when", "result"), [("12:00:00", "VIOLATION"), ("12:00:01", None), ("11:59:59", "VIOLATION")]
)
def test_the_instant_of_withdrawal(when: str, result: str | None) -> None:
    """Half-open: at the instant of withdrawal there is no consent any more."""
    found = screened(at(GIVEN, EARLY), EVENT, withdrawn(f"2026-03-02T{when}+01:00", "2026-03-05T00:00:00+01:00"))
    assert [verdict["result"] for verdict in of_rule(found)] == ([result] if result else [])


def test_a_consent_learnt_late_lifts_a_violation() -> None:
    found = screened(EVENT, at(GIVEN, "2026-03-05T00:00:00+01:00"))
    first, second = of_rule(found)
    assert [first["result"], second["result"]] == ["VIOLATION", "OK"]
    assert second["supersedes"] == first["verdict_id"]


def test_a_chain_names_each_before_it() -> None:
    found = screened(
        EVENT,
        at(GIVEN, "2026-03-05T00:00:00+01:00"),
        withdrawn("2026-03-01T10:00:00+01:00", "2026-03-06T00:00:00+01:00"),
    )
    chain = of_rule(found)
    assert [(verdict["result"], verdict["revision"]) for verdict in chain] == [
        ("VIOLATION", 0),
        ("OK", 1),
        ("VIOLATION", 2),
    ]
    assert [verdict["supersedes"] for verdict in chain[1:]] == [verdict["verdict_id"] for verdict in chain[:-1]]


def test_facts_of_somebody_else_and_a_second_telling_change_nothing() -> None:
    other = {**GIVEN, "fact_id": "other", "subject": "SUB-2", "consent_ref": "C-2"}
    again = {**GIVEN, "fact_id": "again"}
    found = screened(
        at(GIVEN, EARLY), EVENT, at(other, "2026-03-05T00:00:00+01:00"), at(again, "2026-03-06T00:00:00+01:00")
    )
    assert [verdict for verdict in found.verdicts if verdict["revision"]] == []


TRANSFER = {
    **EVENT,
    "event_id": "T1",
    "event_type": "TransferEvent",
    "data_categories": ["IDENTITY"],
    "purpose": "CLAIMS_HANDLING",
    "legal_basis": "CONTRACT_PERFORMANCE",
    "special_basis": None,
    "consent_ref": None,
    "recipient": {
        "org_id": BANK,
        "category": "SUPPLIER",
        "role": "PROCESSOR",
        "establishment_country": "NZ",
        "processing_country": "NZ",
    },
    "transfer": {"destination_country": "NZ"},
}


def test_an_adequacy_decision_annulled_late() -> None:
    """The country's transfers since then are judged again; those to other countries are not."""
    elsewhere = {
        **TRANSFER,
        "event_id": "T2",
        "recipient": {
            **TRANSFER["recipient"],
            "org_id": "ORG-UY",
            "establishment_country": "UY",
            "processing_country": "UY",
        },
        "transfer": {"destination_country": "UY"},
    }  # type: ignore[dict-item]
    annulled = {
        "type": "AdequacyDecisionEnded",
        "fact_id": "annulled",
        "country": "NZ",
        "valid_to": "2026-03-01T00:00:00Z",
        "controller_id": "LAW",
        "recorded_at": "2026-04-01T00:00:00Z",
    }
    found = screened(TRANSFER, elsewhere, annulled)
    revised = [verdict for verdict in found.verdicts if verdict["revision"]]
    assert {verdict["event_id"] for verdict in revised} == {"T1"}
    assert "CIGNA-69" in {verdict["rule_id"] for verdict in revised if verdict["result"] == "VIOLATION"}
    assert all(any(fact["version"] == "annulled" for fact in verdict["facts"]) for verdict in revised)


def test_whatever_the_order_the_last_word_is_the_same() -> None:
    """Out-of-order arrival in every direction: current results do not depend on it."""
    last_words = set()
    late = [
        lambda when: at(GIVEN, when),
        lambda when: withdrawn("2026-03-02T10:00:00+01:00", when),
        lambda when: {**EVENT, "recorded_at": when},
    ]
    for order in permutations(late):
        said = [make(f"2026-03-0{4 + number}T00:00:00+01:00") for number, make in enumerate(order)]
        if said.index(next(one for one in said if one.get("fact_id") == "withdrawn")) < said.index(
            next(one for one in said if one.get("fact_id") == "given")
        ):
            said = [{**one, "subject": "SUB-1"} if one.get("fact_id") == "withdrawn" else one for one in said]
        found = screened(*said)
        current: dict[tuple[str, str], str] = {}
        for verdict in found.verdicts:
            current[verdict["event_id"], verdict["rule_id"]] = verdict["result"]
        last_words.add(tuple(sorted((key, result) for key, result in current.items() if result != "OK")))
    assert len(last_words) == 1
    assert (("E1", PROHIBITION), "VIOLATION") in next(iter(last_words))


def test_a_replay_gives_the_same_ids() -> None:
    said = (
        EVENT,
        at(GIVEN, "2026-03-05T00:00:00+01:00"),
        withdrawn("2026-03-01T10:00:00+01:00", "2026-03-06T00:00:00+01:00"),
    )
    assert screened(*said).verdicts == screened(*said).verdicts


CONFIRMED = {
    **EVENT,
    "event_id": "V1",
    "event_type": "PolicyViolationConfirmed",
    "recipient": None,
    "severity": "CRITICAL",
    "violation_ref": "VIOL-1",
    "confirmed_at": "2026-03-02T12:00:00+01:00",
    "aware_at": "2026-03-02T12:00:00+01:00",
}
DECIDED = {
    "type": "BreachRecorded",
    "fact_id": "decided",
    "violation_ref": "VIOL-1",
    "breach_ref": "BREACH-1",
    "decided_at": "2026-03-03T12:00:00+01:00",
    "notifiable": True,
}


def test_the_clock_judges_at_the_instant_whenever_somebody_looks() -> None:
    """The same verdict, of the same instant, a second and a year after it."""
    due = datetime(2026, 3, 3, 11, 0, 0, 1000, tzinfo=UTC)
    assert of_rule(screened(CONFIRMED, clock=(datetime(2026, 3, 3, 11, tzinfo=UTC),)), "LAW-06", "V1") == []
    (soon,) = of_rule(screened(CONFIRMED, clock=(due,)), "LAW-06", "V1")
    (late,) = of_rule(screened(CONFIRMED, clock=(datetime(2027, 3, 3, tzinfo=UTC),)), "LAW-06", "V1")
    assert soon == late
    assert (soon["result"], soon["revision"], soon["evaluated_at"]) == ("VIOLATION", 1, due)


def test_a_decision_learnt_late_lifts_what_the_clock_said_and_moves_the_deadline() -> None:
    """Decided in time, learnt after the clock struck; the authority is then not told within three days."""
    learnt = at(DECIDED, "2026-03-04T00:00:00+01:00")
    found = of_rule(screened(CONFIRMED, learnt, clock=(datetime(2026, 4, 1, tzinfo=UTC),)), "LAW-06", "V1")
    assert [(verdict["result"], verdict["revision"]) for verdict in found] == [
        ("VIOLATION", 1),
        ("OK", 2),
        ("VIOLATION", 3),
    ]
    assert "decided" in {fact["version"] for fact in found[1]["facts"]}
    assert found[2]["evaluated_at"] == datetime(2026, 3, 5, 11, 0, 0, 1000, tzinfo=UTC)


@pytest.mark.parametrize("controller_id", ["CIGNA", "HMBS"])
def test_every_entry_that_looks_at_the_clock_says_when(controller_id: str) -> None:
    """Otherwise the reviser would not know when to look."""
    assert shared().controller(controller_id).plan.by_clock == ()
