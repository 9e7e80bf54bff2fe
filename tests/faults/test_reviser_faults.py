"""A reviser killed between publishing and committing loses nothing, and a replay says the same verdicts again."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from inzage.deploy.local.clickhouse.endpoint import Endpoint
from inzage.deploy.local.kafka import Broker
from tests.integration.console.test_late_facts import ANNULLED, GIVEN, WITHDRAWN, to_country, to_employer
from tests.revising_stack import Installation, Process, installation

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

FATAL = Path(__file__).with_name("fatal_reviser.py")
WANTED = [("E1", "TEST-01", "VIOLATION", 1), ("T1", "TEST-02", "VIOLATION", 1)]


def _fatal(running: Installation, folder: Path, deaths: int, *options: str) -> Process:
    file = folder / "deaths"
    file.write_bytes(b"x" * deaths)
    command = [sys.executable, str(FATAL), "--deaths", str(file), *options]
    return Process(command, running.processes["worker"].env, folder / "fatal.log")


def _rows(running: Installation) -> list[Any]:
    return running.stack.rows("SELECT verdict_id FROM trail.verdicts WHERE revision > 0 ORDER BY 1")


def test_deaths_before_the_commit_and_a_replay_give_the_same_verdicts(
    broker: Broker, clickhouse: Endpoint, tmp_path: Path
) -> None:
    with installation(broker, clickhouse, tmp_path) as running:
        running.start("worker", "sink")
        running.say(GIVEN, to_employer("E1"), to_country("T1", "NZ"), WITHDRAWN, ANNULLED)
        fatal = _fatal(running, tmp_path, deaths=3)
        try:
            for _ in range(3):
                fatal.start()
                assert fatal.wait() == 70
            fatal.start()
            running.until(lambda: len(set(_rows(running))) >= 2)
            fatal.stop(kill=True)
            assert running.verdicts() == WANTED
            assert sorted(running.current()) == [("E1", "TEST-01"), ("T1", "TEST-02")]
            said, ids = len(_rows(running)), set(_rows(running))
            fatal = _fatal(running, tmp_path, 0, "--group", f"again-{running.controller}")
            fatal.start()  # from the beginning, as a group that never read
            running.until(lambda: len(_rows(running)) >= said + 2)
            assert set(_rows(running)) == ids
            assert running.verdicts() == WANTED
        finally:
            fatal.stop()
