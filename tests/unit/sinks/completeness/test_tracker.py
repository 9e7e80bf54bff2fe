"""A source is complete, has gaps, is silent or has ended, by what was said and by the broker's clock alone."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from inzage.sinks.completeness.numbers import MOST_AT_ONCE, MOST_GAPS
from inzage.sinks.completeness.tracker import FORGET_AFTER, Finding, Kind, Tracker

TOPIC = "inzage.cigna.events.v1"
EMITTER = f"0190f0a0-0000-7000-8000-000000000001/{TOPIC}"
SECOND, MINUTE, DAY = 1_000, 60_000, 86_400_000
NOW = 1_772_000_000_000


def tracker() -> Tracker:
    return Tracker(TOPIC, grace=60, silence=900)


def beat(last: int, at: int, *, ended: bool = False, period: int = 60, instance: str = EMITTER) -> dict[str, Any]:
    said_at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at)
    return {
        "controller_id": "CIGNA",
        "source_system": "claims",
        "source_instance": instance,
        "last_sequence": last,
        "at": said_at,
        "ended": ended,
        "period": period,
    }


def told(findings: list[Finding]) -> list[tuple[str, int | None, int | None]]:
    return [(str(finding.kind), finding.first, finding.last) for finding in findings]


def test_a_missing_number_is_a_gap_after_the_grace_and_not_before() -> None:
    made = tracker()
    made.see("claims", EMITTER, [2, 3, 6], NOW)
    assert made.due(NOW + 59 * SECOND) == []
    found = made.due(NOW + 60 * SECOND)
    assert told(found) == [("GAP", 1, 1), ("GAP", 4, 5)]
    assert [(one.since, one.detected_at, one.last_seen) for one in found] == [(NOW, NOW + 60 * SECOND, NOW)] * 2
    assert made.due(NOW + 70 * SECOND) == []


def test_a_late_arrival_closes_its_own_part_of_a_gap() -> None:
    made = tracker()
    made.see("claims", EMITTER, [1, 9], NOW)
    made.due(NOW + MINUTE)
    assert told(made.see("claims", EMITTER, [4, 5, 7, 1, 9], NOW + 2 * MINUTE)) == [
        ("CLOSED", 4, 5),
        ("CLOSED", 7, 7),
    ]
    assert made.see("claims", EMITTER, [4], NOW + 2 * MINUTE) == []
    assert made.due(NOW + 3 * MINUTE) == []


def test_a_heartbeat_shows_what_was_lost_at_the_end() -> None:
    made = tracker()
    made.see("claims", EMITTER, [1, 2], NOW)
    made.hear(beat(5, NOW + SECOND), NOW + SECOND)
    assert told(made.due(NOW + 61 * SECOND)) == [("GAP", 3, 5)]


@pytest.mark.parametrize(("period", "silent_after"), [(60, 15 * MINUTE), (600, 30 * MINUTE)])
def test_silence_is_three_periods_and_a_quarter_of_an_hour_at_least(period: int, silent_after: int) -> None:
    made = tracker()
    made.hear(beat(0, NOW, period=period), NOW)
    assert made.due(NOW + silent_after) == []
    (found,) = made.due(NOW + silent_after + 1)
    assert (found.kind, found.first, found.since) == (Kind.SILENT, None, NOW)
    assert made.due(NOW + 2 * silent_after) == []
    again = made.hear(beat(0, NOW + DAY), NOW + DAY)
    assert [(one.kind, one.first, one.since) for one in again] == [(Kind.CLOSED, None, NOW)]
    assert told(made.due(NOW + 2 * DAY)) == [("SILENT", None, None)]


def test_who_ended_may_be_silent_until_it_goes_on() -> None:
    made = tracker()
    made.see("claims", EMITTER, [1, 2], NOW)
    made.hear(beat(2, NOW, ended=True, period=0), NOW)
    made.hear(beat(2, NOW - SECOND), NOW)  # said before, and overtaken on its way
    assert made.due(NOW + DAY) == []
    made.see("claims", EMITTER, [3], NOW + DAY)
    assert told(made.due(NOW + 2 * DAY)) == [("SILENT", None, None)]


def test_who_ends_with_something_lost_has_a_gap_and_is_not_silent() -> None:
    made = tracker()
    made.see("claims", EMITTER, [1], NOW)
    made.hear(beat(2, NOW, ended=True, period=0), NOW)
    assert told(made.due(NOW + DAY)) == [("GAP", 2, 2)]
    assert told(made.see("claims", EMITTER, [2], NOW + DAY)) == [("CLOSED", 2, 2)]
    assert made.due(NOW + 2 * DAY) == []


def test_an_emitter_that_died_before_its_first_heartbeat_is_silent() -> None:
    made = tracker()
    made.see("claims", EMITTER, [1], NOW)
    assert told(made.due(NOW + DAY)) == [("SILENT", None, None)]


def test_who_numbers_itself_begins_anywhere_and_owes_no_word() -> None:
    made = tracker()
    made.see("mainframe", "7", [100, 102], NOW)
    made.see("crm", "7", [1, 2, 3], NOW)
    found = made.due(NOW + DAY)
    assert told(found) == [("GAP", 101, 101)]
    assert found[0].source_system == "mainframe"


def test_one_emitter_speaks_for_many_systems_with_one_row_of_numbers() -> None:
    made = tracker()
    made.see("claims", EMITTER, [1, 3], NOW)
    made.see("portal", EMITTER, [2, 4], NOW)
    made.hear(beat(4, NOW, ended=True), NOW)
    assert made.due(NOW + DAY) == []


def test_what_was_pruned_before_the_watch_began_is_not_missing() -> None:
    made = Tracker(TOPIC, whole=False)
    made.see("claims", EMITTER, [500, 502], NOW)
    assert told(made.due(NOW + MINUTE)) == [("GAP", 501, 501)]


def test_many_gaps_at_once_are_told_in_bounded_number_and_counted() -> None:
    made = tracker()
    made.see("claims", EMITTER, list(range(2, 2 * 20_000, 2)), NOW)
    found = made.due(NOW + MINUTE)
    assert len(found) == MOST_AT_ONCE
    assert sum(one.missing for one in found) == 19_999
    assert (found[-1].first, found[-1].last) == (2 * MOST_AT_ONCE - 1, 2 * 20_000 - 3)
    late = made.see("claims", EMITTER, [1, 2 * MOST_GAPS + 1], NOW + MINUTE)
    assert told(late) == [("CLOSED", 1, 1)]  # the other is among the gaps that are no longer remembered


def test_state_is_json_and_goes_on_where_it_was() -> None:
    """Only what changed is handed out again; a source that is forgotten is named."""
    made = tracker()
    made.see("claims", EMITTER, [1, 4], NOW)
    kept = json.loads(json.dumps(made.state()))
    assert made.changed() == {}
    made.see("crm", "1", [1], NOW)
    changed = json.loads(json.dumps(made.changed()))
    assert list(changed) == ["crm/1"]
    other = tracker()
    other.restore(kept | changed)
    assert told(other.due(NOW + MINUTE)) == told(made.due(NOW + MINUTE)) == [("GAP", 2, 3)]
    assert json.loads(json.dumps(other.state())) == json.loads(json.dumps(made.state()))
    made.hear(beat(4, NOW, ended=True), NOW)
    made.due(NOW + 2 * MINUTE)
    made.changed()
    made.due(NOW + round(FORGET_AFTER * 1000) + DAY)
    assert made.changed() == {EMITTER: None}
