"""`inzage emit` and `inzage import fhir` account for every line, without a broker."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from inzage.console.main import main

DATA = Path(__file__).parents[2] / "data"
EVENT = {"event_type": "AccessEvent", "occurred_at": "2026-03-10T12:00:00Z", "subject": {"pseudonym": "P-1"}}
CONSENT = {"type": "ConsentGiven", "recorded_at": "2026-03-10T12:00:00Z", "subject": "P-1", "consent_ref": "C-1"}


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, Any]]:
    with pytest.raises(SystemExit) as ended:
        main([*arguments, "--dry-run", "--output", "json"])
    shown = capsys.readouterr().out
    return int(ended.value.code or 0), json.loads(shown) if shown else {}


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def emit(capsys: pytest.CaptureFixture[str], tmp_path: Path, *lines: str, more: tuple[str, ...] = ()) -> Any:
    (tmp_path / "said.jsonl").write_text("\n".join(lines))
    return run(capsys, "emit", "said.jsonl", "--controller", "CIGNA", "--source-system", "claims", *more)


def test_lines_that_fit_become_events_and_facts(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, counts = emit(capsys, tmp_path, json.dumps({"event": EVENT}), "", json.dumps({"fact": CONSENT}))
    assert (code, counts["read"], counts["events"], counts["facts"], counts["dead_letters"]) == (0, 2, 1, 1, 0)
    assert list(tmp_path.iterdir()) == [tmp_path / "said.jsonl"], "a dry run leaves nothing behind"


def test_each_wrong_line_is_listed_with_field_and_reason(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    wrong = {**EVENT, "purpose": "CLAIMS_HANDLNG"}
    code, counts = emit(capsys, tmp_path, json.dumps(wrong), "{", json.dumps(EVENT), "7", '{"x": 1}')
    assert code == 1
    assert counts["read"] == counts["events"] + counts["dead_letters"] == 5
    first = counts["refused"][0]
    assert (first["line"], first["field"], first["reason"]) == (1, "purpose", "contract.unknown-symbol")
    assert "CLAIMS_HANDLING" in first["message"]
    assert [refused["line"] for refused in counts["refused"]] == [1, 2, 4, 5]
    assert sum(counts["dead_letters_by_reason"].values()) == 4


def test_identifiers_are_not_shown_when_they_are_wrong(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    wrong = {**EVENT, "subject": {"pseudonym": "member:4711", "relation": "COUSIN"}}
    code, counts = emit(capsys, tmp_path, json.dumps(wrong), more=("--pseudonymise",))
    assert code == 1 and "4711" not in json.dumps(counts)


def test_our_r4_and_r5_files_are_accounted_for(capsys: pytest.CaptureFixture[str]) -> None:
    r4 = run(capsys, "import", "fhir", str(DATA / "auditevents-r4.ndjson"), "--controller", "CIGNA")
    assert (r4[0], r4[1]["read"], r4[1]["events"], r4[1]["dead_letters"]) == (0, 6, 7, 0)
    code, counts = run(capsys, "import", "fhir", str(DATA / "auditevents-r5.ndjson"), "--controller", "CIGNA")
    assert (code, counts["read"], counts["events"], counts["dead_letters"]) == (1, 5, 2, 3)
    assert counts["dead_letters_by_reason"] == {
        "contract.fhir-no-time": 1,
        "contract.fhir-resource-type": 1,
        "contract.not-json": 1,
    }


@pytest.mark.parametrize(("name", "size"), [("balp-r4.ndjson", 31), ("mammography-r5.ndjson", 200)])
def test_real_files_import_completely(capsys: pytest.CaptureFixture[str], name: str, size: int) -> None:
    folder = Path(os.environ.get("INZAGE_REAL_INPUT", Path(__file__).parents[4] / "shared" / "real-input"))
    if not (folder / name).is_file():
        pytest.skip(f"{name} is not part of the project, and INZAGE_REAL_INPUT names no folder that has it")
    _, counts = run(capsys, "import", "fhir", str(folder / name), "--controller", "CIGNA")
    assert counts["read"] == counts["events"] + counts["dead_letters"] == size
    assert counts["events"] == size


@pytest.mark.parametrize(
    "arguments",
    [
        ("emit", "nowhere.jsonl", "--controller", "CIGNA", "--source-system", "claims"),
        ("import", "fhir", "nowhere.ndjson", "--controller", "CIGNA"),
    ],
)
def test_usage_and_configuration_end_with_2(capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]) -> None:
    assert run(capsys, *arguments)[0] == 2
