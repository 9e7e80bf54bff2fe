"""What is wrong with the notices is data: complete, in our own words, and shown with the worst first."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from inzage.console.main import main
from inzage.schemas.errors import ConfigError
from inzage.streams.policies.notice_defects import notice_of

ONE = """\
notice: A notice
controller: OWN
defects:
  - &one
    id: OWN-D01
    title: Something is missing
    severity: LOW
    articles: [13]
    headings: [A heading]
    says: It says nothing of the sort anywhere.
    law_asks: That is told to the person, in plain words.
    change: Say it where the person reads it first.
    entries: []
"""


def _run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    with pytest.raises(SystemExit) as ended:
        main(["notice", "defects", *arguments])
    return int(ended.value.code or 0), capsys.readouterr().out


@pytest.mark.parametrize("controller", ["CIGNA", "HMBS"])
def test_every_defect_is_complete_and_its_own(controller: str) -> None:
    notice = notice_of(controller)
    assert notice is not None and notice.controller == controller
    assert [defect.id for defect in notice.defects] == [
        f"{controller}-D{number:02}" for number in range(1, len(notice.defects) + 1)
    ]
    for defect in notice.defects:
        assert all(entry.startswith(f"{controller}-") for entry in defect.entries)
        assert len({defect.says, defect.law_asks, defect.change}) == 3


@pytest.mark.parametrize(
    ("controller", "article", "words"),
    [
        ("CIGNA", "7(3)", "consent is not asked"),
        ("CIGNA", "6(1)(b)", "employer signed"),
        ("CIGNA", "6(1)(d)", "emergency"),
        ("CIGNA", "26", "intermediary"),
        ("CIGNA", "46", "United States"),
        ("HMBS", "5(1)(a)", "within HMBS alone"),
        ("HMBS", "5(1)(b)", "solely"),
        ("HMBS", "5(1)(e)", "archiv"),
        ("HMBS", "12(5)", "fee"),
        ("HMBS", "18", "restriction"),
        ("HMBS", "77", "complaint"),
        ("HMBS", "13(1)(f)", "Suppliers"),
    ],
)
def test_what_the_catalogue_and_its_corrections_list_is_there(controller: str, article: str, words: str) -> None:
    notice = notice_of(controller)
    assert notice is not None
    assert [one.id for one in notice.defects if article in one.articles and words in one.says]


def test_the_command_tells_the_worst_first(capsys: pytest.CaptureFixture[str]) -> None:
    code, shown = _run(capsys, "--controller", "cigna", "--output", "json")
    rows = json.loads(shown)
    severities = [row["severity"] for row in rows]
    assert code == 1
    assert severities == sorted(severities, key=("CRITICAL", "HIGH", "MEDIUM", "LOW").index)
    assert {row["controller"] for row in rows} == {"CIGNA"}
    _, text = _run(capsys)
    assert "CIGNA-D04 (CRITICAL)" in text and "HMBS-D05 (HIGH)" in text and "Change: " in text
    assert _run(capsys, "--controller", "NOBODY")[0] == 2


def test_a_tenant_has_its_own_and_a_wrong_one_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "notices").mkdir()
    file = tmp_path / "notices" / "own.yaml"
    file.write_text(ONE, encoding="utf-8")
    monkeypatch.setenv("INZAGE_PACKS_DIR", str(tmp_path))
    monkeypatch.setenv("INZAGE_CONTROLLERS", json.dumps(["OWN", "UNREAD"]))
    code, shown = _run(capsys, "--output", "json")
    assert (code, [row["id"] for row in json.loads(shown)]) == (1, ["OWN-D01"])
    assert _run(capsys, "--controller", "UNREAD", "--output", "json") == (0, "[]\n")
    for text, where in (
        (ONE.replace("LOW", "BAD"), "defects.0.severity"),
        (ONE + "  - *one\n", "OWN-D01 stands twice"),
    ):
        notice_of.cache_clear()
        file.write_text(text, encoding="utf-8")
        with pytest.raises(ConfigError, match=where):
            notice_of("OWN", tmp_path)
    notice_of.cache_clear()
