"""What a person sees of the trail, through the commands."""

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
from tests.trail_stack import Stack, activity, stack_on

pytestmark = pytest.mark.kafka


@pytest.fixture
def stack(broker: Broker, clickhouse: Endpoint, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Stack]:
    with stack_on(broker, clickhouse) as made:
        monkeypatch.setenv("INZAGE_DATA_DIR", str(tmp_path))
        monkeypatch.setenv("INZAGE_CONTROLLERS", json.dumps([made.controller]))
        monkeypatch.setenv("INZAGE_KAFKA__BOOTSTRAP_SERVERS", made.settings.kafka.bootstrap_servers)
        monkeypatch.setenv("INZAGE_CLICKHOUSE__URL", made.settings.clickhouse.url)
        monkeypatch.setenv("INZAGE_CLICKHOUSE__DATABASE", made.database)
        yield made


def _run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, Any]:
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main([*arguments, "--output", "json"])
    shown = capsys.readouterr().out
    return int(ended.value.code or 0), json.loads(shown) if shown else None


def _status(capsys: pytest.CaptureFixture[str], stack: Stack) -> tuple[int, list[dict[str, Any]]]:
    """The status of this test's own logs: the broker is shared, and others log schemas on it."""
    code, logs = _run(capsys, "trail", "status")
    return code, [log for log in logs if stack.controller.lower() in log["topic"]]


async def test_status_says_whether_the_trail_is_complete(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    stack.send_activities(range(10))
    stack.send_activities(range(4), partition=1)
    await stack.keep_until(14)
    stack.send_activities(range(10, 13))
    code, logs = _status(capsys, stack)
    shown = [(log["first"], log["last"], log["rows"], log["gaps"], log["duplicates"], log["lag"]) for log in logs]
    assert (code, shown) == (0, [(0, 9, 10, 0, 0, 3), (0, 3, 4, 0, 0, 0)])
    gone = f"ALTER TABLE {stack.database}.events DELETE WHERE partition = 1 AND offset = 2"
    stack.client.command(gone, settings={"mutations_sync": 2})
    code, logs = _status(capsys, stack)
    assert (code, [log["gaps"] for log in logs], logs[1]["complete"]) == (1, [0, 1], False)


def _verdict(stack: Stack, number: int, revision: int, result: str, rule: str = "CIGNA-55") -> bytes:
    at = datetime(2026, 3, 1, 0, 0, number, tzinfo=UTC)
    said = {
        "verdict_id": f"verdict-{number}-{rule}-{revision}",
        "event_id": f"event-{number}",
        "controller_id": stack.controller,
        "subject": f"SUB-{number}",
        "rule_id": rule,
        "result": result,
        "severity": "HIGH",
        "theme": "employer",
        "reason": "EMPLOYER",
        "heading": "With whom we share",
        "promise": "No health data to an employer",
        "articles": ["5(1)(b)"],
        "facts": [],
        "pack": "CIGNA",
        "pack_version": "1",
        "revision": revision,
        "occurred_at": at,
        "evaluated_at": at,
        "topic": stack.topics.events,
        "partition": 0,
        "offset": number - 1,
    }
    return codec.encode("verdict", said)


async def test_violations_as_they_stand_now(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    """A revision that complies ends a violation; a replayed verdict counts once."""
    stack.send_activities([1, 2])
    said = [(1, 0, "VIOLATION"), (1, 0, "VIOLATION"), (2, 0, "VIOLATION"), (2, 1, "OK")]
    verdicts = [_verdict(stack, *one) for one in said] + [_verdict(stack, 2, 0, "WARNING", "CIGNA-60")]
    stack.send(stack.topics.verdicts, [(b"k", verdict) for verdict in verdicts])
    await stack.keep_until(7)
    code, [shown] = _run(capsys, "violations")
    assert code == 1
    assert (shown["event_id"], shown["recipient"], shown["promise"]) == (
        "event-1",
        "ORG-EMP-001",
        "No health data to an employer",
    )
    _, counted = _run(capsys, "violations", "--by-rule", "--warnings")
    assert [(row["rule_id"], row["violations"]) for row in counted] == [("CIGNA-55", 1), ("CIGNA-60", 1)]
    assert _run(capsys, "violations", "--rule", "CIGNA-1")[0] == 0


async def test_dead_letters_are_listed_and_shown(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    broken = codec.encode("activity", activity(1, stack.controller))[:-9]
    stack.send(stack.topics.events, [(b"SUB-1", broken)])
    await stack.keep_until(2)
    code, [listed] = _run(capsys, "dead-letters", "list")
    assert (code, listed["reason"], listed["stages"]) == (1, "contract.undecodable", ["trail"])
    code, shown = _run(capsys, "dead-letters", "show", listed["dead_letter_id"][:8])
    assert (code, bytes.fromhex(shown["value"]), bytes.fromhex(shown["key"])) == (0, broken, b"SUB-1")
    code, became = _run(capsys, "dead-letters", "replay", "--all")
    assert (code, [one["result"] for one in became]) == (1, ["contract.undecodable"])
    assert _run(capsys, "dead-letters", "show", "no such")[0] == 2
