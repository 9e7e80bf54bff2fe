"""Names the ends of time as the engine writes them: an open interval ends in the far future."""

from __future__ import annotations

import calendar
import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

FAR = datetime(2200, 1, 1, tzinfo=UTC)
LONG_AGO = datetime(1900, 1, 1, tzinfo=UTC)

_BRUSSELS = ZoneInfo("Europe/Brussels")
_PERIOD = re.compile(r"P(?:(\d{1,4})Y)?(?:(\d{1,4})M)?(?:(\d{1,4})W)?(?:(\d{1,5})D)?(?:T(\d{1,5})H)?")


def since(instant: datetime | None) -> datetime:
    """The start of an interval; not stated means since ever."""
    return instant or LONG_AGO


def until(instant: datetime | None) -> datetime:
    """The exclusive end of an interval; not stated means open."""
    return instant or FAR


def after(instant: datetime, period: str) -> datetime | None:
    """`instant` and an ISO 8601 period later, by the calendar in Brussels: P1M after 31 January: end of February.

    None for what is no such period, or reaches past the end of time.
    """
    found = _PERIOD.fullmatch(period)
    if found is None or not any(found.groups()) or instant >= FAR:
        return None
    years, months, weeks, days, hours = (int(part or 0) for part in found.groups())
    local = instant.astimezone(_BRUSSELS)
    year, month = divmod(local.year * 12 + local.month - 1 + years * 12 + months, 12)
    if year >= FAR.year:
        return None
    day = min(local.day, calendar.monthrange(year, month + 1)[1])
    moved = local.replace(year=year, month=month + 1, day=day) + timedelta(weeks=weeks, days=days)
    return moved.astimezone(UTC) + timedelta(hours=hours)
