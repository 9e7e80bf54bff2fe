"""Looking at the trail is an event: it stands in the trail itself, and without it nothing is shown."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from inzage.console.main import main
from inzage.deploy.local.clickhouse.endpoint import Endpoint
from inzage.deploy.local.kafka import Broker
from inzage.deploy.local.ports import free_port
from inzage.schemas import codec
from inzage.schemas.emitter import SqlVault
from inzage.schemas.emitter.words import decrypt_words
from inzage.schemas.json_face import Said
from tests.trail_stack import Stack, activity, stack_on

pytestmark = pytest.mark.kafka

LOOKS = """
SELECT actor.id, actor.role, purpose, hex(raw), rows, subject.pseudonym, controller_id
FROM trail.events WHERE event_type = 'AuditTrailQueried' ORDER BY offset
"""


@pytest.fixture
def stack(broker: Broker, clickhouse: Endpoint, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Stack]:
    with stack_on(broker, clickhouse) as made:
        monkeypatch.setenv("INZAGE_DATA_DIR", str(tmp_path))
        monkeypatch.setenv("INZAGE_CONTROLLERS", json.dumps([made.controller]))
        monkeypatch.setenv("INZAGE_KAFKA__BOOTSTRAP_SERVERS", made.settings.kafka.bootstrap_servers)
        monkeypatch.setenv("INZAGE_CLICKHOUSE__URL", made.settings.clickhouse.url)
        monkeypatch.setenv("INZAGE_CLICKHOUSE__DATABASE", made.database)
        yield made


def _run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Exit code, data and messages of a command."""
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main([*arguments, "--output", "json"])
    shown = capsys.readouterr()
    return int(ended.value.code or 0), shown.out, shown.err


def _violation(stack: Stack) -> bytes:
    at = datetime(2026, 3, 1, tzinfo=UTC)
    texts = ("rule_id", "severity", "theme", "reason", "heading", "promise", "pack", "pack_version")
    said: dict[str, Any] = dict.fromkeys(texts, "x") | {
        "severity": "HIGH",
        "theme": "employer",
        "result": "VIOLATION",
    }
    ids = {"verdict_id": "v", "event_id": "event-1", "controller_id": stack.controller, "subject": "SUB-1"}
    place = {"topic": stack.topics.events, "partition": 0, "offset": 0}
    rest = {"articles": [], "facts": [], "revision": 0, "occurred_at": at, "evaluated_at": at}
    return codec.encode("verdict", said | ids | place | rest)


def _filter(raw: bytes, vault: SqlVault) -> str:
    """What was asked, which stands encrypted in the trail: a filter may say something of a person."""
    said = Said("activity", codec.decode(raw)[1])
    filter_: str = decrypt_words(said, vault.kept_keys.find("all")).said.record["filter"]
    return filter_


async def test_a_look_stands_in_the_trail(stack: Stack, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """With who, why, what was asked and how many rows there were; the actor by a reference of the vault."""
    stack.send_activities([1])
    stack.send(stack.topics.verdicts, [(b"k", _violation(stack))])
    broken = codec.encode("activity", activity(2, stack.controller))[:-9]
    stack.send(stack.topics.events, [(b"SUB-1", broken)])
    await stack.keep_until(4)
    who = ("--actor", "hr:42", "--purpose", "security", "--role", "DPO")
    code, out, _ = _run(capsys, "violations", *who, "--rule", "x", "--limit", "7")
    assert (code, len(json.loads(out))) == (1, 1)
    assert _run(capsys, "violations", "--rule", "nothing")[0] == 0
    _, out, _ = _run(capsys, "dead-letters", "list")
    identifier = json.loads(out)[0]["dead_letter_id"]
    assert _run(capsys, "dead-letters", "show", identifier)[0] == 0
    await stack.keep_up()
    vault = SqlVault.in_file(tmp_path / "vault.sqlite")
    looks = stack.rows(LOOKS)
    asked = [json.loads(_filter(bytes.fromhex(look[3]), vault)) for look in looks]
    assert looks[0][:3] == (vault.reference("hr:42"), "DPO", "SECURITY")
    assert [look[2] for look in looks[1:]] == ["INTERNAL_AUDIT"] * 3
    assert len({look[0] for look in looks[1:]}) == 1 and looks[1][0].startswith("p_")
    assert asked[0] == {"query": "violations", "results": ["VIOLATION"], "rule": "x", "limit": 7}
    assert [one["query"] for one in asked] == ["violations", "violations", "dead_letters", "dead_letter"]
    assert [look[4] for look in looks] == [1, 0, 1, 1]
    assert {look[5:] for look in looks} == {("all", stack.controller)}
    vault.close()


def test_what_cannot_be_recorded_is_not_shown(
    stack: Stack, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("inzage.console.consultation.WITHIN", 2.0)
    monkeypatch.setenv("INZAGE_KAFKA__BOOTSTRAP_SERVERS", f"127.0.0.1:{free_port()}")
    code, out, err = _run(capsys, "violations")
    assert (code, out) == (2, "")
    assert "nothing is shown" in err
    monkeypatch.undo()


def test_a_purpose_that_nobody_knows_shows_nothing(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = _run(capsys, "violations", "--purpose", "CURIOSITY")
    assert (code, out) == (2, "")
    assert "purpose" in err
    assert _run(capsys, "violations", "--controller", "NOBODY")[0] == 2


def test_recording_takes_less_than_a_second(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    _run(capsys, "violations")  # modules, vault
    began = time.perf_counter()
    _run(capsys, "violations")
    assert time.perf_counter() - began < 1.5
