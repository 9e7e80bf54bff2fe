"""The demonstration says plainly when something was missed, cried wolf, or is not in the trail."""

from __future__ import annotations

from dataclasses import replace

import pytest

from inzage.console.demonstration.label import Label
from inzage.console.demonstration.outcome import Comparison, Outcome, compare
from inzage.console.demonstration.trail import Standing, missing
from inzage.sinks.status import LogStatus

PLANTED = Label("e-1", "CIGNA", "to-the-employer", {"CIGNA-54": "VIOLATION", "CIGNA-55": "VIOLATION"})
NEAR_MISS = Label("e-2", "CIGNA", "with-consent", {})
BOTH = {"CIGNA-54": "VIOLATION", "CIGNA-55": "VIOLATION"}
LOG = LogStatus("log", "inzage.cigna.events.v1", 0, 0, 9, 10, 0, 0, 0, 0, True)


def test_what_was_planted_and_found_is_right() -> None:
    assert compare([PLANTED, NEAR_MISS], {"e-1": BOTH}) == Comparison(1, (), 1, ())


@pytest.mark.parametrize("found", [{}, {"CIGNA-54": "VIOLATION"}, {**BOTH, "CIGNA-55": "WARNING"}])
def test_a_planted_event_is_missed_when_any_rule_did_not_fire(found: dict[str, str]) -> None:
    assert compare([PLANTED], {"e-1": found}).missed == (PLANTED,)


def test_what_nobody_planted_is_a_false_alarm() -> None:
    """On an event without a label, on a near miss, and beside what was planted."""
    found = {"e-1": {**BOTH, "CIGNA-90": "VIOLATION"}, "e-2": {"CIGNA-55": "NOT_EVALUABLE"}, "e-3": BOTH}
    assert compare([PLANTED, NEAR_MISS], found).false_alarms == ("e-1", "e-2", "e-3")


def test_imported_events_are_left_out() -> None:
    assert compare([], {"fhir-1": BOTH}, left_out={"fhir-1"}).right


@pytest.mark.parametrize(
    ("runs", "unjudged"),
    [
        ([], 10),
        ([(0, 9)], 0),
        ([(0, 3), (6, 9)], 2),
        ([(0, 5), (2, 7)], 2),
        ([(0, 9), (3, 4)], 0),
        ([(5, 20)], 5),
    ],
)
def test_offsets_no_report_names_are_counted(runs: list[tuple[int, int]], unjudged: int) -> None:
    """Runs may overlap, since a batch that came again is reported again."""
    assert missing(runs, 0, 10) == unjudged


@pytest.mark.parametrize(
    "standing",
    [
        Standing((LOG,), unjudged=1),
        Standing((replace(LOG, lag=1),), unjudged=0),
        Standing((replace(LOG, gaps=1),), unjudged=0),
        Standing((replace(LOG, unsealed=1),), unjudged=0),
        Standing((replace(LOG, duplicates=1),), unjudged=0),
    ],
)
def test_an_incomplete_trail_is_a_finding(standing: Standing) -> None:
    assert not _outcome(standing).held
    assert _outcome(Standing((LOG,), unjudged=0)).held


def _outcome(standing: Standing) -> Outcome:
    return Outcome({}, {}, compare([PLANTED], {"e-1": BOTH}), (), {}, standing, {})
