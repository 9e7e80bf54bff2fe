"""The verifier's state is read back as it was written, and nothing else is taken for one."""

from __future__ import annotations

from pathlib import Path

import pytest

from inzage.schemas.errors import ConfigError
from inzage.sinks.verification.finding import Finding, Severity, in_order, runs, tamper
from inzage.sinks.verification.state import Reached, Seen, VerifierState


def test_what_was_written_is_read_back(tmp_path: Path) -> None:
    seen = Seen(5, bytes(32), (b"a" * 32, b"b" * 32))
    finding = tamper("row.changed", "log", "what", 3, table="events")
    state = VerifierState({"log": seen}, "run", {"log": Reached(seen, 4, (finding,))})
    file = tmp_path / "folder" / "state.json"
    state.write(file)
    assert VerifierState.read(file) == state
    assert [one.name for one in file.parent.iterdir()] == ["state.json"]


def test_no_file_is_an_empty_state(tmp_path: Path) -> None:
    assert VerifierState.read(tmp_path / "none") == VerifierState()


@pytest.mark.parametrize("text", ["", "[]", '{"version": 1}', '{"version": 9, "seen": {}, "run": "", "reached": {}}'])
def test_anything_else_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "state.json"
    file.write_text(text)
    with pytest.raises(ConfigError, match="--state"):
        VerifierState.read(file)


def test_a_state_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot be written"):
        VerifierState().write(tmp_path / "file" / "state.json")


def test_neighbouring_rows_are_one_finding() -> None:
    found = runs(tamper("row.missing", "log", "gone", index) for index in (1, 2, 3, 7, 8))
    assert [(one.first, one.last) for one in found] == [(1, 3), (7, 8)]


def test_the_gravest_comes_first() -> None:
    note = Finding(Severity.NOTE, "source.behind", "a", "")
    grave = tamper("row.missing", "b", "", 1)
    assert in_order([note, grave]) == (grave, note)
