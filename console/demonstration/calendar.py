"""Decides when things happen in March 2026: mostly on working days and in office hours of Brussels."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from random import Random
from zoneinfo import ZoneInfo

MONTH_START = datetime(2026, 3, 1, tzinfo=ZoneInfo("Europe/Brussels")).astimezone(UTC)
HOURS = 31 * 24 - 1  # summer time begins on the 29th

_BRUSSELS = ZoneInfo("Europe/Brussels")
_OFFICE = range(8, 18)
_HOUR = timedelta(hours=1)
_STORY_DAYS = range(4, 22)
"""Stories happen here, so that what comes before and after them still lies in the month."""


def moments(count: int, chance: Random) -> list[datetime]:
    """`count` instants of the month, in order, UTC."""
    starts, weights = _hours()
    picked = chance.choices(starts, weights, k=count)
    return sorted(start + timedelta(seconds=round(chance.random() * 3599, 3)) for start in picked)


def story_moment(chance: Random) -> datetime:
    """An instant for a story, to the second, UTC."""
    day = MONTH_START + timedelta(days=chance.choice(_STORY_DAYS))
    return day + timedelta(seconds=chance.randrange(8 * 3600, 18 * 3600))


@cache
def _hours() -> tuple[list[datetime], list[float]]:
    starts = [MONTH_START + number * _HOUR for number in range(HOURS)]
    return starts, [_busy(start.astimezone(_BRUSSELS)) for start in starts]


def _busy(local: datetime) -> float:
    return (10.0 if local.hour in _OFFICE else 1.0) * (1.0 if local.weekday() < 5 else 0.2)
