"""The sealer as a process: its exit codes, its log lines, and what `inzage trail status` then shows."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from inzage.deploy.local.clickhouse.endpoint import Endpoint
from inzage.deploy.local.kafka import Broker
from inzage.sinks.status import LogStatus, trail_status
from tests.trail_stack import Stack, stack_on

pytestmark = pytest.mark.kafka


@pytest.fixture
def stack(broker: Broker, clickhouse: Endpoint) -> Iterator[Stack]:
    with stack_on(broker, clickhouse, ledger=True) as made:
        yield made


def _run(stack: Stack, data: Path) -> subprocess.Popen[str]:
    environment = {
        **os.environ,
        "INZAGE_CONTROLLERS": json.dumps(stack.settings.controllers),
        "INZAGE_DATA_DIR": str(data),
        "INZAGE_KAFKA__BOOTSTRAP_SERVERS": stack.settings.kafka.bootstrap_servers,
        "INZAGE_SEALING__EVERY_SECONDS": "0.1",
    }
    command = [sys.executable, "-m", "inzage.console.main", "sealer"]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def _events(stack: Stack) -> LogStatus:
    [log] = [log for log in trail_status(stack.settings) if (log.topic, log.partition) == (stack.topics.events, 0)]
    return log


async def test_it_seals_until_it_is_asked_to_end(stack: Stack, tmp_path: Path) -> None:
    stack.send_activities(range(10))
    sealer = _run(stack, tmp_path)
    try:
        give_up = time.monotonic() + 120
        while not any((tmp_path / "archive").rglob("*.json")):
            assert sealer.poll() is None and time.monotonic() < give_up
            time.sleep(0.05)
    finally:
        sealer.send_signal(signal.SIGTERM)
        out, _ = sealer.communicate(timeout=120)
    assert (sealer.returncode, out) == (0, "")
    await stack.keep_sealed()
    stack.send_activities(range(10, 13))
    log = _events(stack)
    assert (log.sealed, log.unsealed, log.rows, log.lag) == (10, 3, 10, 3)
    [topic] = [log for log in trail_status(stack.settings) if log.topic == "inzage.checkpoints.v1"]
    assert (topic.sealed, topic.unsealed, topic.lag, topic.complete) == (None, 0, 0, True)


async def test_what_was_changed_ends_it_with_70_and_what_is_set_wrongly_with_2(stack: Stack, tmp_path: Path) -> None:
    stack.send_activities(range(10))
    await stack.seal(tmp_path)
    key = tmp_path / "sealer" / "key"
    key.chmod(0o644)
    sealer = _run(stack, tmp_path)
    _, err = sealer.communicate(timeout=120)
    assert (sealer.returncode, "readable by others" in err) == (2, True)
    key.chmod(0o600)
    name = next((tmp_path / "archive").rglob("*.json"))
    name.chmod(0o644)
    name.write_bytes(b"{}")
    (tmp_path / "sealer" / "state.sqlite").unlink()
    sealer = _run(stack, tmp_path)
    _, err = sealer.communicate(timeout=120)
    said = [json.loads(line) for line in err.splitlines() if line.startswith("{")]
    assert (sealer.returncode, [line["code"] for line in said if line["event"] == "stopped"]) == (
        70,
        ["tamper.archive"],
    )
