"""Proofs of single records through the commands: made from a sealed trail, checked with nothing but a key."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from inzage.console.main import main
from inzage.deploy.local.clickhouse.endpoint import Endpoint
from inzage.deploy.local.kafka import Broker
from inzage.schemas.codec import current
from inzage.schemas.topics import SCHEMAS
from inzage.sinks.ledger.hashing import hash_leaf, hash_node
from inzage.sinks.proof.proof_file import ProofFile
from tests.trail_stack import Stack, fact, schema_message, stack_on, until

pytestmark = pytest.mark.kafka

DOCUMENT = Path(__file__).parents[3] / "docs" / "guide" / "check-a-proof.md"


@pytest.fixture(scope="module")
def sealed(
    broker: Broker, clickhouse: Endpoint, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Stack, Path]]:
    """600 activities with facts among them, and the schema of activities on its topic; and the sealer's folder."""
    folder = tmp_path_factory.mktemp("proving")

    async def seal(stack: Stack) -> None:
        await stack.seal(folder)
        await stack.keep_sealed()

    with stack_on(broker, clickhouse, ledger=True, every_seconds=0.2, every_records=300) as stack:
        stack.send(SCHEMAS, [schema_message("activity", current("activity").text)])
        for first in range(0, 600, 100):
            stack.send_activities(range(first, first + 100))
            stack.send(stack.topics.events, [(b"SUB-1", fact(first, stack.controller, subject="SUB-1"))])
        asyncio.run(seal(stack))
        yield stack, folder


@pytest.fixture
def stack(sealed: tuple[Stack, Path], monkeypatch: pytest.MonkeyPatch) -> Stack:
    made, folder = sealed
    monkeypatch.setenv("INZAGE_DATA_DIR", str(folder))
    monkeypatch.setenv("INZAGE_CONTROLLERS", json.dumps([made.controller]))
    monkeypatch.setenv("INZAGE_KAFKA__BOOTSTRAP_SERVERS", made.settings.kafka.bootstrap_servers)
    monkeypatch.setenv("INZAGE_CLICKHOUSE__URL", made.settings.clickhouse.url)
    monkeypatch.setenv("INZAGE_CLICKHOUSE__DATABASE", made.database)
    return made


@pytest.fixture
def key(sealed: tuple[Stack, Path]) -> str:
    return str(sealed[1] / "sealer" / "key.pub")


def _run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main([*arguments])
    shown = capsys.readouterr()
    return int(ended.value.code or 0), shown.out, shown.err


def _checked(capsys: pytest.CaptureFixture[str], file: Path, key: str) -> dict[str, Any]:
    code, out, err = _run(capsys, "check-proof", str(file), "--key", key, "--output", "json")
    assert code == 0, err
    found: dict[str, Any] = json.loads(out)
    return found


def test_an_event_is_proven_and_checked(
    stack: Stack, key: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "event.proof"
    for identifier, offset, name in (
        ("event-7", 7, "Activity"),
        ("event-555", 560, "Activity"),
        ("fact-0", 100, "Fact"),
    ):
        code, _, err = _run(capsys, "prove", identifier, "--output", str(file))
        assert code == 0, err
        found = _checked(capsys, file, key)
        assert (found["offset"], found["index"], list(found["event"])) == (offset, offset, [name])
        assert found["origin"].startswith(f"inzage/{stack.controller.lower()}/")
        sealed_schema = "log of the schemas" if name == "Activity" else "this installation"
        assert sealed_schema in found["schema_from"]
    assert "event-7" not in file.read_text()  # nothing beyond the record itself
    code, _, err = _run(capsys, "check-proof", str(file))
    assert (code, "--key" in err) == (2, True)


def test_events_are_proven_at_the_edges_of_tiles_and_in_any_state_of_the_meta_log(stack: Stack, key: str) -> None:
    from inzage.sinks.ledger.signing_key import read_verifiers
    from inzage.sinks.proof.check import Trust, check_proof
    from inzage.sinks.proof.prove import prove
    from inzage.sinks.reading import open_trail

    trust = Trust(read_verifiers(Path(key)))
    sizes = [size for (size,) in stack.rows("SELECT size FROM trail.checkpoints WHERE meta_index < 0 ORDER BY size")]
    with open_trail(stack.settings) as trail:
        for number in (0, 255, 256, 299, 300, 599):
            for at in (None, sizes[-1]):
                held = check_proof(str(prove(trail, f"event-{number}", at=at).file).encode(), trust)
                assert f'"event-{number}"' in (held.event or "")


async def test_what_is_not_sealed_yet_and_what_is_not_there(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    stack.send_activities([1000])
    arrived = "SELECT count() FROM trail.events WHERE event_id = 'event-1000'"
    await until(stack.sink(), lambda: stack.rows(arrived) == [(1,)], 40)
    code, out, err = _run(capsys, "prove", "event-1000")
    assert (code, out, "not sealed yet" in err) == (1, "", True)
    code, out, err = _run(capsys, "prove", "event-2000")
    assert (code, out, "no event, fact or verdict" in err) == (2, "", True)
    code, out, err = _run(capsys, "prove", "event-7", "--at", "999")
    assert (code, out, "--at 999" in err) == (2, "", True)


def test_a_row_that_was_changed_is_not_proven(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    stack.client.command(
        f"ALTER TABLE {stack.database}.events UPDATE raw = concat(substring(raw, 1, length(raw) - 1), 'x')"
        " WHERE event_id = 'event-70' SETTINGS mutations_sync = 2"
    )
    code, out, err = _run(capsys, "prove", "event-70")
    assert (code, out, "no proof" in err) == (1, "", True)


async def test_looking_is_recorded(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(capsys, "prove", "event-7", "--purpose", "AUTHORITY_REQUEST")[0] == 0
    looks = "SELECT rows FROM trail.events WHERE event_type = 'AuditTrailQueried' AND purpose = 'AUTHORITY_REQUEST'"
    await until(stack.sink(), lambda: stack.rows(looks) == [(1,)], 40)


@pytest.mark.usefixtures("stack")
def test_checking_needs_nothing_of_the_trail(key: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """No client of Kafka or ClickHouse, no engine: what an auditor installs does not have them."""
    file = tmp_path / "event.proof"
    assert _run(capsys, "prove", "event-7", "-o", str(file))[0] == 0
    absent = ["aiokafka", "chdb", "clickhouse_connect", "faust", "kafka", "starlette", "stamina", "prometheus_client"]
    program = (
        "import sys\n"
        f"sys.modules.update(dict.fromkeys({absent!r}))\n"
        "from inzage.console.main import main\n"
        f"main(['check-proof', {str(file)!r}, '--key', {key!r}])"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (ended.returncode, "holds" in ended.stdout) == (0, True), ended.stderr


@pytest.mark.usefixtures("stack")
def test_it_can_be_checked_by_hand(key: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """The commands of the guide, run as they stand there."""
    file = tmp_path / "event.proof"
    assert _run(capsys, "prove", "event-7", "-o", str(file))[0] == 0
    commands = "\n".join(re.findall(r"```bash\n# by hand.*?\n(.*?)```", DOCUMENT.read_text(), re.DOTALL))
    environment = {**os.environ, "PROOF": str(file), "KEY": Path(key).read_text().strip()}
    ended = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", commands], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stderr
    found = _checked(capsys, file, key)
    assert f"leaf {found['leaf_hash']}" in ended.stdout
    assert "Signature Verified Successfully" in ended.stdout
    proof = ProofFile.read(file.read_bytes()).record
    assert (proof.index % 2, b"event-7" in proof.leaf) == (1, True)
    assert f"parent {hash_node(proof.hashes[0], hash_leaf(proof.leaf)).hex()}" in ended.stdout
