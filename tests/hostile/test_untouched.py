"""A trail that nobody tampered with is valid, whichever way it is verified."""

from __future__ import annotations

from pathlib import Path

import pytest

from inzage.sinks.verification.finding import Severity
from tests.hostile.sealed_trail import ACTIVITIES, Case


@pytest.mark.parametrize(
    "said", [{}, {"kafka": True}, {"state": None, "archive": None}, {"sample": 50}, {"first": 3, "last": 290}]
)
def test_nothing_is_found(case: Case, said: dict[str, object]) -> None:
    verdict = case.verify(**said)
    notes = [finding for finding in verdict.findings if finding.severity is Severity.NOTE]
    assert list(verdict.findings) == notes
    assert len(notes) == (said.get("archive", 1) is None)
    assert verdict.leaves


def test_every_row_is_hashed_and_decoded(case: Case) -> None:
    verdict = case.verify()
    [(events, references)] = case.rows(
        "SELECT (SELECT count() FROM trail.events), (SELECT count() FROM trail.references)"
    )  # of references only the law's, which other tests say too
    held = events + references + 4 + 2 + 1  # facts, unreadable, dead letters, a schema
    assert verdict.leaves == verdict.decoded == held
    assert held > ACTIVITIES


def test_state_moves_on_only_after_a_clean_run(case: Case) -> None:
    before = (case.folder / "state.json").read_bytes()
    case.update("outcome = 'x'", 5)
    assert case.verify().tampered
    assert (case.folder / "state.json").read_bytes() == before


def test_a_state_that_is_no_state_is_refused(case: Case, tmp_path: Path) -> None:
    from inzage.schemas.errors import ConfigError

    (case.folder / "state.json").write_text("{}")
    with pytest.raises(ConfigError, match="cannot be read as a state"):
        case.verify()
