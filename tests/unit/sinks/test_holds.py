"""What stands in the way of an erasure, and when it no longer does; in doubt it does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from inzage.schemas.json_face import read
from inzage.sinks.holds import ObstacleKind, duty_to_keep, obstacles_of

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)


def fact(kind: str, number: int = 0, **body: Any) -> dict[str, Any]:
    envelope = {"subject": "p_1", "recorded_at": "2026-03-01T00:00:00Z", "fact_id": f"F-{number}"}
    return read({"fact": {"type": kind, **envelope, **body}}, controller_id="CIGNA").record


def kinds(*facts: dict[str, Any]) -> list[ObstacleKind]:
    return [obstacle.kind for obstacle in obstacles_of(facts, "CIGNA", NOW)]


PLACED = fact("LegalHoldPlaced", 1, hold_ref="H-1", ground="CLAIM")


def test_nothing_said_is_nothing_in_the_way() -> None:
    assert kinds() == []


def test_a_hold_stands_until_that_one_is_released() -> None:
    assert kinds(PLACED) == [ObstacleKind.LEGAL_HOLD]
    assert kinds(PLACED, fact("LegalHoldReleased", 2, hold_ref="H-2")) == [ObstacleKind.LEGAL_HOLD]
    assert kinds(PLACED, fact("LegalHoldReleased", 2, hold_ref="H-1")) == []
    assert kinds(PLACED, fact("LegalHoldReleased", 2)) == [ObstacleKind.LEGAL_HOLD]


def test_a_release_that_is_still_to_come_does_not_count() -> None:
    later = fact("LegalHoldReleased", 2, hold_ref="H-1", released_at="2026-03-10T12:00:01Z")
    assert kinds(PLACED, later) == [ObstacleKind.LEGAL_HOLD]


def test_a_hold_can_be_placed_again_and_a_mistaken_one_corrected() -> None:
    released = fact("LegalHoldReleased", 2, hold_ref="H-1")
    assert kinds(PLACED, released, fact("LegalHoldPlaced", 3, hold_ref="H-1")) == [ObstacleKind.LEGAL_HOLD]
    nameless = fact("LegalHoldPlaced", 4, ground="OTHER")
    assert kinds(nameless, released) == [ObstacleKind.LEGAL_HOLD]
    assert kinds(nameless, fact("LegalHoldReleased", 5, hold_ref="H-9", corrects="F-4")) == []


@pytest.mark.parametrize(
    ("until", "stands"),
    [
        ("2026-03-10", True),  # its last day
        ("2026-03-09", False),
        ("2026-03-10T12:00:01Z", True),
        ("2026-03-10T12:00:00Z", False),
        ("2026-03-10T13:30:00+02:00", False),
        ("2026-03-10T13:30:00", True),
        ("when the case is closed", True),
    ],
)
def test_a_period_runs_to_its_end(until: str, stands: bool) -> None:
    registered = fact("RecordRegistered", record_id="R-1", retention_until=until)
    assert kinds(registered) == ([ObstacleKind.RETENTION] if stands else [])


def test_a_rule_without_an_end_stands_in_the_way_and_a_record_without_either_does_not() -> None:
    (obstacle,) = obstacles_of([fact("RecordRegistered", record_id="R-1", retention_rule_id="TAX")], "CIGNA", NOW)
    assert obstacle.kind is ObstacleKind.RETENTION and "TAX" in obstacle.reason and "not stated" in obstacle.reason
    assert kinds(fact("RecordRegistered", record_id="R-1", state="ACTIVE")) == []


@pytest.mark.parametrize("ended", ["DataErased", "DataAnonymised"])
def test_what_was_said_last_of_a_record_holds(ended: str) -> None:
    running = fact("RecordRegistered", 1, record_id="R-1", retention_until="2999-01-01")
    assert kinds(running, fact(ended, 2, record_id="R-1")) == []
    assert kinds(running, fact(ended, 2, record_id="R-2")) == [ObstacleKind.RETENTION]
    assert kinds(running, fact("RecordRegistered", 2, record_id="R-1", retention_until="2026-01-01")) == []


def test_a_duty_to_keep_begins_with_the_newest_record() -> None:
    last = NOW - timedelta(days=30)
    assert duty_to_keep(last, 30, "CIGNA", NOW) is None
    obstacle = duty_to_keep(last, 31, "CIGNA", NOW)
    assert obstacle is not None and obstacle.until == NOW + timedelta(days=1) and "31 days" in obstacle.reason
