"""What is learnt late supersedes, live: through Kafka, the screening, the trail and the reviser."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from inzage.deploy.local.clickhouse.endpoint import Endpoint
from inzage.deploy.local.kafka import Broker
from inzage.schemas.json_lines import read_lines
from inzage.schemas.topics import Theme
from inzage.streams.screening.offline import OfflineScreening
from tests.revising_stack import Installation, installation

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

GIVEN = {
    "type": "ConsentGiven",
    "fact_id": "given",
    "consent_ref": "C-1",
    "subject": "SUB-1",
    "explicit": True,
    "given_at": "2026-03-01T00:00:00Z",
    "recorded_at": "2026-03-01T00:00:00Z",
    "source_system": "crm",
    "scope": {"recipient_org_ids": ["ORG-EMP"], "data_categories": None, "purposes": None},
}
WITHDRAWN = {
    "type": "ConsentWithdrawn",
    "fact_id": "withdrawn",
    "consent_ref": "C-1",
    "subject": "SUB-1",
    "withdrawn_at": "2026-03-02T10:00:00Z",
    "recorded_at": "2026-03-05T10:00:00Z",
    "source_system": "crm",
}
ANNULLED = {
    "type": "AdequacyDecisionEnded",
    "fact_id": "annulled",
    "country": "NZ",
    "valid_to": "2026-03-01T00:00:00Z",
    "controller_id": "LAW",
    "recorded_at": "2026-04-01T00:00:00Z",
    "source_system": "law",
}


def event(event_id: str, **said: Any) -> dict[str, Any]:
    return {
        "event_id": event_id,
        "event_type": "DisclosureEvent",
        "occurred_at": "2026-03-02T12:00:00Z",
        "recorded_at": "2026-03-02T12:00:01Z",
        "source_system": "crm",
        "actor": {},
        "subject": {"pseudonym": "SUB-1"},
        "data_categories": ["IDENTITY"],
        "purpose": "CONTRACT_ADMINISTRATION",
        **said,
    }


def to_employer(event_id: str, **said: Any) -> dict[str, Any]:
    return event(event_id, recipient={"org_id": "ORG-EMP", "category": "EMPLOYER"}, **said)


def to_country(event_id: str, country: str, **said: Any) -> dict[str, Any]:
    recipient = {"org_id": f"ORG-{country}", "category": "SUPPLIER", "processing_country": country}
    return event(event_id, recipient=recipient, transfer={"destination_country": country}, **said)


@pytest.fixture
def running(broker: Broker, clickhouse: Endpoint, tmp_path: Path) -> Iterator[Installation]:
    with installation(broker, clickhouse, tmp_path) as made:
        made.start("worker", "sink", "reviser")
        yield made


def test_a_late_withdrawal_and_an_annulled_decision_supersede(running: Installation) -> None:
    running.say(
        GIVEN, to_employer("E1"), to_country("T1", "NZ"), to_country("T2", "UY", subject={"pseudonym": "SUB-2"})
    )
    running.say(
        to_employer("E2", occurred_at="2026-03-02T09:00:00Z"), to_employer("E3", subject={"pseudonym": "SUB-3"})
    )
    running.until(lambda: ("E3", "TEST-01") in running.current())
    assert running.current() == {("E3", "TEST-01"): "VIOLATION"}

    running.say(WITHDRAWN)
    running.until(lambda: ("E1", "TEST-01") in running.current())
    assert running.current() == {("E3", "TEST-01"): "VIOLATION", ("E1", "TEST-01"): "VIOLATION"}

    running.say(ANNULLED)
    running.until(lambda: ("T1", "TEST-02") in running.current())
    assert running.verdicts() == [
        ("E1", "TEST-01", "VIOLATION", 1),
        ("E3", "TEST-01", "VIOLATION", 0),
        ("T1", "TEST-02", "VIOLATION", 1),
    ]
    ((revision, supersedes, facts),) = running.stack.rows(
        "SELECT revision, supersedes, facts.version FROM trail.current_verdicts WHERE event_id = 'T1'"
    )
    assert (revision, "annulled" in facts) == (1, True)
    assert supersedes
    assert running.on_violations(Theme.EMPLOYER) == [("E3", 0), ("E1", 1)]
    assert running.on_violations(Theme.TRANSFER) == [("T1", 1)]


def test_a_consent_learnt_late_lifts_a_violation_and_the_order_does_not_matter(running: Installation) -> None:
    """The event before the facts, between them, and after them; the last word is the same."""
    said = {
        "SUB-1": (to_employer("E-1"), GIVEN, WITHDRAWN),
        "SUB-2": (GIVEN, to_employer("E-2"), WITHDRAWN),
        "SUB-3": (GIVEN, WITHDRAWN, to_employer("E-3")),
        "SUB-4": (WITHDRAWN, to_employer("E-4"), GIVEN),
        "SUB-5": (to_employer("E-5"), GIVEN),
    }
    for subject, faces in said.items():
        for face in faces:
            about: Any = {"pseudonym": subject} if "event_type" in face else subject
            face = {**face, "subject": about}
            running.say(face if "event_type" in face else {**face, "fact_id": f"{face['fact_id']}-{subject}"})
    running.until(lambda: len(running.verdicts()) >= 8)
    assert running.verdicts() == [
        ("E-1", "TEST-01", "OK", 1),
        ("E-1", "TEST-01", "VIOLATION", 0),
        ("E-1", "TEST-01", "VIOLATION", 2),
        ("E-2", "TEST-01", "VIOLATION", 1),
        ("E-3", "TEST-01", "VIOLATION", 0),
        ("E-4", "TEST-01", "VIOLATION", 0),
        ("E-5", "TEST-01", "OK", 1),
        ("E-5", "TEST-01", "VIOLATION", 0),
    ]


def test_an_instant_that_has_come_breaks_a_promise(running: Installation) -> None:
    """Nothing arrives; whenever the process looks, the verdict is of the instant itself."""
    running.say(to_employer("WARM"))
    running.until(lambda: ("WARM", "TEST-01") in running.current())
    due = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=20)
    confirmed = {"event_type": "PolicyViolationConfirmed", "confirmed_at": (due - timedelta(days=1)).isoformat()}
    later = {"event_type": "PolicyViolationConfirmed", "confirmed_at": "2199-03-02T10:00:00Z"}
    running.say(event("LATER", **later), event("SOON", **confirmed))
    deadlines = "SELECT deadlines.at FROM trail.judged ARRAY JOIN deadlines ORDER BY 1"
    running.until(lambda: len(running.stack.rows(deadlines)) == 2)
    running.until(lambda: ("SOON", "TEST-03") in running.current())
    assert ("SOON", "TEST-03", "VIOLATION", 1) in running.verdicts()
    ((evaluated_at,),) = running.stack.rows("SELECT evaluated_at FROM trail.current_verdicts WHERE event_id = 'SOON'")
    assert evaluated_at.replace(tzinfo=UTC) == due
    assert not [verdict for verdict in running.verdicts() if verdict[0] == "LATER"]


def _told(seed: int) -> list[dict[str, Any]]:
    """Events and facts of forty persons in any order, some twice, and what the law says of countries between them."""
    chance = Random(seed)
    told: list[dict[str, Any]] = []
    for number in range(40):
        subject = f"SUB-{number}"
        at = [f"2026-03-0{day}T{hour:02}:00:00Z" for day in (1, 2, 3) for hour in (6, 12, 18)]
        given = {**GIVEN, "subject": subject, "fact_id": f"given-{number}", "given_at": chance.choice(at)}
        ended = {**WITHDRAWN, "subject": subject, "fact_id": f"ended-{number}", "withdrawn_at": chance.choice(at)}
        again = {**GIVEN, "subject": subject, "fact_id": f"again-{number}", "consent_ref": "C-2"}
        about = {"subject": {"pseudonym": subject}}
        events = [
            to_employer(f"E-{number}", occurred_at=chance.choice(at), **about),
            to_employer(f"F-{number}", occurred_at=chance.choice(at), **about),
            to_country(f"T-{number}", chance.choice(("NZ", "UY", "KE")), occurred_at=chance.choice(at), **about),
            event(
                f"P-{number}",
                event_type="PolicyViolationConfirmed",
                confirmed_at=chance.choice(("2026-03-01T00:00:00Z", "2199-01-01T00:00:00Z")),
                **about,
            ),
        ]
        mine = [*events, *chance.sample((given, ended, again), chance.randint(0, 3))]
        told += [*mine, *chance.choices(events, k=chance.randint(0, 1))]
    chance.shuffle(told)
    for number, country in enumerate(("NZ", "UY")):
        ended = {**ANNULLED, "country": country, "fact_id": f"annulled-{number}", "valid_to": "2026-03-02T12:00:00Z"}
        told.insert(chance.randrange(len(told)), ended)
    return told


@pytest.mark.parametrize("seed", [1, 2])
def test_live_and_offline_agree_whatever_the_order(running: Installation, seed: int) -> None:
    told = _told(seed)
    begin = datetime(2026, 11, 1, tzinfo=UTC)
    numbered = [
        {**face, "recorded_at": (begin + timedelta(seconds=number)).isoformat()} for number, face in enumerate(told)
    ]
    said: dict[str, dict[str, Any]] = {}
    for face in numbered:  # said again, it is the same to the letter
        said.setdefault(face.get("event_id", face.get("fact_id")), face)
    faces = [said[face.get("event_id", face.get("fact_id"))] for face in told]
    lines = [json.dumps({"event" if "event_type" in face else "fact": face}) for face in faces]
    offline = OfflineScreening(running.packs).screen(
        read_lines(lines, strict=False, controller_id=running.controller)
    )
    assert {code for _, code, _ in offline.refused} <= {"contract.fact-contradicts"}  # neither believes those
    expected = sorted(
        (
            *(verdict[name] for name in ("event_id", "rule_id", "result", "revision")),
            tuple(sorted(fact["version"] for fact in verdict["facts"])),
        )
        for verdict in offline.verdicts
    )
    assert sum(revision > 0 for _, _, _, revision, _ in expected) > 15
    running.say(*faces)

    def found() -> list[Any]:
        rows = running.stack.rows(
            "SELECT DISTINCT event_id, rule_id, result, revision, arraySort(facts.version) FROM trail.verdicts"
        )
        return sorted((*row[:4], tuple(row[4])) for row in rows)

    try:
        running.until(lambda: len(found()) >= len(expected))
    finally:
        assert found() == expected
