"""Names the ends of time as the engine writes them: an open interval ends in the far future."""

from __future__ import annotations

from datetime import UTC, datetime

FAR = datetime(2200, 1, 1, tzinfo=UTC)
LONG_AGO = datetime(1900, 1, 1, tzinfo=UTC)


def since(instant: datetime | None) -> datetime:
    """The start of an interval; not stated means since ever."""
    return instant or LONG_AGO


def until(instant: datetime | None) -> datetime:
    """The exclusive end of an interval; not stated means open."""
    return instant or FAR
