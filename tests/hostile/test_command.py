"""`inzage verify` says with its exit code what it found, and goes on after an interruption."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from inzage.sinks.verification import procedure
from inzage.sinks.verification.procedure import Progress, Request
from inzage.sinks.verification.state import VerifierState
from tests.hostile.sealed_trail import ACTIVITIES, Case


def _run(case: Case, *options: str, url: str = "") -> tuple[int, Any, str]:
    stack = case.trail.stack
    environment = {
        **os.environ,
        "INZAGE_CONTROLLERS": json.dumps([stack.controller]),
        "INZAGE_DATA_DIR": str(case.folder),
        "INZAGE_CLICKHOUSE__URL": url or stack.settings.clickhouse.url,
        "INZAGE_CLICKHOUSE__DATABASE": case.database,
    }
    command = [sys.executable, "-m", "inzage.console.main", "verify", "-o", "json", *options]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert "Traceback" not in ended.stderr
    return ended.returncode, json.loads(ended.stdout) if ended.stdout else None, ended.stderr


def _key(case: Case) -> str:
    return str(case.trail.folder / "sealer" / "key.pub")


def test_a_clean_trail_exits_with_0(case: Case) -> None:
    code, said, _ = _run(case, "--key", _key(case), "--late-after", "0")
    assert (code, said["verdict"], said["findings"]) == (0, "valid", [])
    state = VerifierState.read(case.folder / "verifier" / "state.json")
    assert state.seen[case.origin].size == ACTIVITIES + 4


def test_a_tampered_trail_exits_with_1(case: Case) -> None:
    case.update("outcome = 'x'", 5)
    code, said, shown = _run(case, "--key", _key(case), "--jobs", "2", "--no-state")
    assert (code, said["verdict"]) == (1, "tampered")
    [finding] = said["findings"]
    assert (finding["code"], finding["log"], finding["first"], finding["column"]) == (
        "column.changed",
        case.origin,
        5,
        "outcome",
    )
    assert "SUB-" not in shown + json.dumps(said)


@pytest.mark.parametrize(
    ("options", "url", "why"),
    [
        (("--key", "x+y"), "", "verifier key"),
        ((), "", "no key to verify with"),
        (("--key", "KEY"), "http://127.0.0.1:9", "does not answer"),
        (("--key", "KEY", "--log", "nothing.like.it"), "", "--log"),
        (("--key", "KEY", "--archive", "/nowhere"), "", "--archive"),
    ],
)
def test_what_cannot_be_verified_exits_with_2(case: Case, options: tuple[str, ...], url: str, why: str) -> None:
    given = [_key(case) if option == "KEY" else option for option in options]
    code, _, shown = _run(case, *given, "--no-state", url=url)
    assert code == 2
    assert why in shown


def test_an_interrupted_run_goes_on_where_it_was(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("inzage.sinks.verification.examination.BLOCK_ROWS", 256)
    case.update("outcome = 'x'", 5)

    def interrupted(progress: Progress) -> None:
        raise KeyboardInterrupt

    whole = case.verify(log="inzage.*.events.v1")
    with pytest.raises(KeyboardInterrupt):
        case.verify(log="inzage.*.events.v1", on_progress=interrupted)
    assert VerifierState.read(case.folder / "state.json").reached
    rest = case.verify(log="inzage.*.events.v1")
    assert rest.findings == whole.findings
    assert 0 < rest.leaves < whole.leaves


def test_several_processes_find_the_same(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("inzage.sinks.verification.workers.WORTH_PROCESSES", 0)
    case.update("outcome = 'x'", 5)
    seen: list[Progress] = []
    verdict = case.verify(jobs=2, on_progress=seen.append)
    assert [one.first for one in verdict.findings] == [5]
    assert seen[-1].rows <= seen[-1].total == verdict.leaves


def test_a_log_or_a_range_of_it(case: Case) -> None:
    case.update("outcome = 'x'", 5)
    case.update("key = 'x'", 600)
    assert [one.first for one in case.found(log=case.origin, first=0, last=9)] == [5]
    assert {one.first for one in case.found(log=case.origin, first=500)} == {600}
    assert not case.found(log=case.log(partition=1).id)
    assert not case.found(log=case.origin, first=6, last=599)


def test_the_same_seed_draws_the_same(case: Case) -> None:
    case.run("ALTER TABLE trail.events UPDATE key = 'x' WHERE {log} AND offset % 2 = 0")
    one, other, same = (case.found(sample=30, seed=seed) for seed in (1, 2, 1))
    assert one == same != other


def test_no_file_of_the_writer_is_shared() -> None:
    """The verifier is worth nothing if it believes the code it checks."""
    folder = Path(procedure.__file__).resolve().parent
    forbidden = ("leaf", "row", "block", "trail", "sink", "settle", "intake", "sealing")
    for file in folder.glob("*.py"):
        for name in forbidden:
            text = file.read_text()
            assert f"inzage.sinks.{name} " not in text and f"inzage.sinks.{name}." not in text, file.name
    assert Request((), log="*").whole
