"""What would be otherwise: judged on a real trail by the worker's own predicates, and counted; nothing is written."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from inzage.console.main import main
from inzage.deploy.local.clickhouse.endpoint import Endpoint
from inzage.deploy.local.kafka import Broker
from tests.trail_stack import Stack, fact, stack_on

pytestmark = pytest.mark.kafka

PACK = """
pack: {name}
version: "1"
title: a controller of a test
source: a test
entries:
  - id: T-01
    heading: transfers
    promise: Nothing goes where the law does not protect it.
    articles: ["44"]
    severity: HIGH
    theme: transfer
    kind: JOIN
    violated_when: third_party AND destination IS NOT NULL AND NOT in_eea AND NOT adequate
    reason: NOT_ADEQUATE
    explanation: It went to a country without an adequacy decision.
    examples: {{violates: [{{title: a}}], complies: [{{title: b, result: OK}}]}}
"""
STRICTER = """
  - id: T-02
    heading: employers
    promise: Employers get nothing without consent, in this draft of a policy.
    articles: ["6"]
    severity: HIGH
    theme: employer
    kind: STATEFUL
    violated_when: recipient.org_id = 'ORG-EMP-001' AND empty(consents_at_t)
    reason: NO_CONSENT
    explanation: There was no consent of the person at that time.
    examples: {violates: [{title: a}], complies: [{title: b, result: OK}]}
"""


@pytest.fixture
def stack(broker: Broker, clickhouse: Endpoint, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Stack]:
    with stack_on(broker, clickhouse) as made:
        for folder, text in (("packs", PACK), ("draft", PACK + STRICTER)):
            (tmp_path / folder).mkdir()
            pack = tmp_path / folder / f"{made.controller.lower()}.yaml"
            pack.write_text(text.replace("{{", "{").replace("}}", "}").replace("{name}", made.controller))
        monkeypatch.setenv("INZAGE_DATA_DIR", str(tmp_path))
        monkeypatch.setenv("INZAGE_PACKS_DIR", str(tmp_path / "packs"))
        monkeypatch.setenv("INZAGE_CONTROLLERS", json.dumps([made.controller]))
        monkeypatch.setenv("INZAGE_KAFKA__BOOTSTRAP_SERVERS", made.settings.kafka.bootstrap_servers)
        monkeypatch.setenv("INZAGE_CLICKHOUSE__URL", made.settings.clickhouse.url)
        monkeypatch.setenv("INZAGE_CLICKHOUSE__DATABASE", made.database)
        yield made


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, Any]:
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main(["whatif", *arguments, "--output", "json"])
    shown = capsys.readouterr().out
    return int(ended.value.code or 0), next(iter(json.loads(shown).values())) if shown else None


def said(stack: Stack, number: int, subject: str, org: str, country: str) -> tuple[bytes, bytes]:
    from inzage.schemas import codec
    from tests.trail_stack import activity

    recipient = {"org_id": org, "processing_country": country, "establishment_country": country}
    record = activity(number, stack.controller, subject={"pseudonym": subject}, recipient=recipient)
    return subject.encode(), codec.encode("activity", record)


async def test_a_change_of_the_law_and_a_draft_of_a_policy(
    stack: Stack, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Three go to New Zealand, for two persons; one employer gets data of a person without consent."""
    stack.send(
        stack.topics.events,
        [
            said(stack, 1, "A", "ORG-NZ", "NZ"),
            said(stack, 2, "A", "ORG-NZ", "NZ"),
            said(stack, 3, "B", "ORG-NZ", "NZ"),
            said(stack, 4, "B", "ORG-UY", "UY"),
            said(stack, 5, "C", "ORG-CN", "CN"),
            (b"A", fact(6, stack.controller, consent_ref="C-1", subject="A", given_at="2026-01-01T00:00:00Z")),
            said(stack, 7, "A", "ORG-EMP-001", "BE"),
            said(stack, 8, "B", "ORG-EMP-001", "BE"),
        ],
    )
    await stack.keep_until(8)
    code, found = run(capsys, "--annul-adequacy", "NZ", "--from", "2030-01-01")
    assert code == 1
    assert (found["events"], found["rules"]) == (7, ["T-01"])
    violated = found["violated"]
    assert [violated[name] for name in ("events", "persons", "recipients")] == [3, 2, 1]
    assert violated["by_recipient"] == [
        {"rule_id": "T-01", "recipient": "ORG-NZ", "destination": "NZ", "events": 3, "persons": 2}
    ]
    assert found["asked_from"] and found["lawful"]["events"] == 0
    # From an instant within the period on: only what came after it.
    code, found = run(capsys, "--annul-adequacy", "NZ", "--from", "2026-03-01T00:00:02+00:00")
    assert (code, found["violated"]["events"], found["violated"]["persons"]) == (1, 2, 2)
    code, found = run(capsys, "--annul-adequacy", "JP")
    assert (code, found["violated"]["events"]) == (0, 0)
    # The back-test of a draft, with the dossiers of the persons.
    code, found = run(capsys, "--packs", str(tmp_path / "draft"))
    assert (code, found["judged"]) == (1, 7)
    assert {row["rule_id"]: row["events"] for row in found["violated"]["by_recipient"]} == {"T-02": 1}
    assert [one["subject"] for one in found["violated"]["examples"]] == ["B"]
    assert stack.rows("SELECT count() FROM trail.verdicts") == [(0,)]


def test_what_cannot_be_supposed_is_said(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys)[0] == 2
    stack.send_activities([1])
    assert run(capsys, "--controller", "NOBODY", "--annul-adequacy", "US")[0] == 2
