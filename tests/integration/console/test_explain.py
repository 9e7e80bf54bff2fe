"""`inzage explain` tells a verdict from the trail, with the chain it stands in, and says that somebody looked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from inzage.console.main import main
from inzage.deploy.local.clickhouse.endpoint import Endpoint
from inzage.deploy.local.kafka import Broker
from inzage.schemas import codec
from tests.trail_stack import Stack, activity, fact, stack_on

pytestmark = pytest.mark.kafka

PACK = """
pack: OWN
version: 1
title: A pack of this test
source: none
base_event: {{event_type: DisclosureEvent, occurred_at: 2026-03-02T11:00:00Z, subject: {{pseudonym: SUB-1}}}}
entries:
  - id: OWN-01
    heading: Who sees what
    promise: Nothing goes out without consent.
    articles: [6(1)(a)]
    severity: HIGH
    theme: consent
    kind: STREAM
    violated_when: legal_basis IS NULL
    reason: NO_CONSENT
    explanation: Something went out without a consent that held.
    remedy: {remedy}
    facts: [consents]
    examples:
      violates: [{{title: none stated}}]
      complies: [{{title: one stated, event: {{legal_basis: CONSENT}}, result: OK}}]
"""


@pytest.fixture
def stack(broker: Broker, clickhouse: Endpoint, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Stack]:
    with stack_on(broker, clickhouse) as made:
        monkeypatch.setenv("INZAGE_DATA_DIR", str(tmp_path))
        monkeypatch.setenv("INZAGE_PACKS_DIR", str(tmp_path))
        monkeypatch.setenv("INZAGE_CONTROLLERS", json.dumps([made.controller]))
        monkeypatch.setenv("INZAGE_KAFKA__BOOTSTRAP_SERVERS", made.settings.kafka.bootstrap_servers)
        monkeypatch.setenv("INZAGE_CLICKHOUSE__URL", made.settings.clickhouse.url)
        monkeypatch.setenv("INZAGE_CLICKHOUSE__DATABASE", made.database)
        pack = PACK.format(remedy="Ask first.")
        (tmp_path / f"{made.controller.lower()}.yaml").write_text(pack, encoding="utf-8")
        yield made


def _run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, Any, str]:
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main(["explain", *arguments, "--output", "json"])
    shown = capsys.readouterr()
    return int(ended.value.code or 0), json.loads(shown.out) if shown.out else None, shown.err


def _verdict(stack: Stack, revision: int, result: str, at: datetime, versions: list[str]) -> bytes:
    said = {
        "verdict_id": f"abc{revision}{'0' * 28}",
        "event_id": "event-1",
        "controller_id": stack.controller,
        "subject": "SUB-1",
        "rule_id": "OWN-01",
        "result": result,
        "severity": "HIGH",
        "theme": "consent",
        "reason": "NO_CONSENT",
        "heading": "Who sees what",
        "promise": "Nothing goes out without consent.",
        "articles": ["6(1)(a)"],
        "facts": [
            {"kind": kind, "key": key, "version": version}
            for version in versions
            for kind, key in ([("requests", "RQ-1")] if version == "asked" else [("consents", "CONS-1")])
        ],
        "pack": "OWN",
        "pack_version": "1",
        "revision": revision,
        "supersedes": f"abc{revision - 1}{'0' * 28}" if revision else None,
        "occurred_at": datetime(2026, 3, 1, 0, 0, 1, tzinfo=UTC),
        "evaluated_at": at,
        "topic": stack.topics.events,
        "partition": 0,
        "offset": 1,
    }
    return codec.encode("verdict", said)


async def _say(stack: Stack) -> None:
    """Consent, event, late withdrawal; the verdicts as the worker gives them at the times of the broker."""
    controller = stack.controller
    given = fact(0, controller, subject="SUB-1", consent_ref="CONS-1", given_at="2026-02-01T00:00:00Z")
    withdrawn = fact(
        9, controller, "ConsentWithdrawn", subject="SUB-1", consent_ref="CONS-1", withdrawn_at="2026-02-20T00:00:00Z"
    )
    other = fact(10, controller, subject="SUB-2", consent_ref="CONS-1", given_at="2026-02-01T00:00:00Z")
    event = codec.encode("activity", activity(1, controller))
    asked = {
        "event_type": "RightsRequestReceived",
        "request_type": "ACCESS",
        "request_ref": "RQ-1",
        "event_id": "asked",
    }
    request = codec.encode("activity", activity(1, controller, **asked))
    for message in (given, event, withdrawn, other, request):
        stack.send(stack.topics.events, [(b"SUB-1", message)])
    await stack.keep_until(5)
    times = stack.rows(
        "SELECT toUnixTimestamp64Milli(broker_time) FROM trail.log WHERE topic LIKE '%.events.%' ORDER BY offset"
    )
    known = [datetime.fromtimestamp(row[0] / 1000, UTC) for row in times]
    verdicts = [
        _verdict(stack, 0, "OK", known[1], ["fact-0"]),
        _verdict(stack, 1, "VIOLATION", known[2], ["fact-9"]),
        _verdict(stack, 2, "WARNING", known[4], ["fact-9", "asked"]),
    ]
    stack.send(stack.topics.verdicts, [(b"k", verdict) for verdict in (*verdicts, verdicts[0])])
    await stack.keep_until(9)


async def test_a_superseding_verdict_is_told_from_the_trail(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    await _say(stack)
    code, told, err = _run(capsys, "abc1")
    assert (code, told["verdict_id"], err) == (0, f"abc1{'0' * 28}", "")
    assert (
        "disclosed data of the person known as SUB-1, to ORG-EMP-001 (processing in BE)" in told["what_happened"][0]
    )
    assert told["why"][0] == "Something went out without a consent that held."
    assert told["remedy"] == ["Ask first."]
    assert told["proof"][0] == "inzage prove event-1"
    [seen] = told["facts"]
    assert (seen["statement"], seen["holds_from"], seen["holds_to"]) == (
        "ConsentWithdrawn",
        "2026-02-01T00:00:00+00:00",
        "2026-02-20T00:00:00+00:00",
    )
    assert told["supersedes"] == [f"abc0{'0' * 28}"]
    assert "then consent withdrawn of CONS-1 (fact-9) became known" in told["earlier"][0]
    _, earlier, _ = _run(capsys, "abc0")
    assert earlier["superseded_by"] == f"abc1{'0' * 28}"
    assert earlier["facts"][0]["holds_to"] is None  # as it was known then
    assert "no longer stands" in earlier["earlier"][0]


async def test_an_activity_that_amounts_to_a_fact_is_told_as_one(
    stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    await _say(stack)
    _, told, _ = _run(capsys, "abc2")
    request = next(one for one in told["facts"] if one["kind"] == "requests")
    assert (request["statement"], request["holds_from"]) == ("RightsRequestReceived", "2026-03-01T00:00:01+00:00")
    assert "rights request received of RQ-1 (asked) became known" in told["earlier"][1]
    assert len(told["supersedes"]) == 2


async def test_an_identifier_must_be_enough_and_a_look_is_recorded(
    stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    await _say(stack)
    assert _run(capsys, "abc")[0] == 2
    assert "several" in _run(capsys, "abc")[2]
    assert _run(capsys, "xyz")[0] == 2
    assert _run(capsys, "")[0] == 2
    code, out, _ = _run(capsys, "abc1", "--purpose", "CURIOSITY")
    assert (code, out) == (2, None)
    assert _run(capsys, "abc1", "--role", "DPO")[0] == 0
    await stack.keep_up()
    looks = stack.rows(
        "SELECT subject.pseudonym, rows, actor.role FROM trail.events WHERE event_type = 'AuditTrailQueried'"
    )
    assert looks == [("SUB-1", 1, "DPO")]


async def test_without_the_pack_the_verdict_speaks_for_itself(
    stack: Stack, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    await _say(stack)
    (tmp_path / f"{stack.controller.lower()}.yaml").unlink()
    _, told, _ = _run(capsys, "abc1")
    assert "no entry OWN-01" in told["why"][0]
    assert told["remedy"] == ["The entry does not say."]
    assert "Nothing goes out without consent" in told["promised"][0]
