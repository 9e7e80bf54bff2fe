"""Computes with instants by the calendar as ClickHouse does: zones, months of different length, clocks put forward.

An instant is microseconds since 1970, UTC; its type names the zone in whose calendar days, months and years count.
"""

from __future__ import annotations

import calendar
import re
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from inzage.streams.screening.column_types import EPOCH, INTEGERS, Type, decline, within
from inzage.streams.screening.expressions import Expression, Unsupported, lifted, need

_MICROS = {
    "IntervalMillisecond": 1_000,
    "IntervalSecond": 1_000_000,
    "IntervalMinute": 60_000_000,
    "IntervalHour": 3_600_000_000,
}
_DAY = 86_400_000_000
_MONTHS = {"IntervalMonth": 1, "IntervalYear": 12}
_ZONES = frozenset({"UTC", "Europe/Brussels"})
_WRITTEN = re.compile(r"\d{4}-\d\d-\d\d( \d\d:\d\d:\d\d(\.\d{6})?)?", re.ASCII)
_MICROSECOND = timedelta(microseconds=1)


@cache
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def interval(unit: str, amount: Expression) -> Expression:
    """toIntervalDay and the like."""
    need(amount.type.name in (*INTEGERS, "Bool"), f"an interval of {amount.type}")
    return lifted(Type(f"Interval{unit}"), int, amount)


def in_zone(instant: Expression, zone: str) -> Expression:
    """The same instant, whose calendar is that of `zone`."""
    need(instant.type.name == "DateTime64" and zone in _ZONES, f"{instant.type} in {zone}")
    return Expression(Type("DateTime64", instant.type.nullable, zone=zone), instant.run)


def day(instant: Expression) -> Expression:
    """toDate32: the day in the calendar of the instant's zone."""
    need(instant.type.name == "DateTime64", f"the day of {instant.type}")
    zone = _zone(instant.type.zone)
    return lifted(Type("Date32"), lambda value: (_local(value, zone).date() - EPOCH.date()).days, instant)


def literal(text: str, zone: str) -> int:
    """The instant that `text` states."""
    need(zone == "UTC" and _WRITTEN.fullmatch(text) is not None, f"'{text}' in {zone} as an instant")
    try:
        return within((datetime.fromisoformat(text).replace(tzinfo=UTC) - EPOCH) // _MICROSECOND)
    except ValueError as error:
        raise Unsupported(f"'{text}' as an instant") from error


def moved(moment: Expression, by: Expression, sign: int) -> Expression:
    """An instant or a day, and an interval later or earlier."""
    unit, kind = by.type.name, moment.type
    if kind.name == "DateTime64" and (unit in _MICROS or (unit == "IntervalDay" and kind.zone == "UTC")):
        micros = sign * _MICROS.get(unit, _DAY)
        return lifted(kind.stated(), lambda value, amount: value + amount * micros, moment, by)
    if kind.name == "DateTime64" and (unit in _MONTHS or unit == "IntervalDay"):
        zone = _zone(kind.zone)
        months, days = _MONTHS.get(unit, 0) * sign, 0 if unit in _MONTHS else sign
        return lifted(
            kind.stated(), lambda value, n: _later(value, _few(n) * months, _few(n) * days, zone), moment, by
        )
    if kind.name == "Date32" and unit in _MONTHS:
        months = _MONTHS[unit] * sign
        return lifted(kind.stated(), lambda value, n: _months_later(value, _few(n) * months), moment, by)
    if kind.name == "Date32" and unit == "IntervalDay":
        return lifted(kind.stated(), lambda value, n: value + sign * n, moment, by)
    raise Unsupported(f"{kind} and {by.type}")


def _few(count: int) -> int:
    """Not more than the calendar has: ClickHouse lets years overflow."""
    return count if -4_000 < count < 200_000 else int(decline())


def _local(instant: int, zone: ZoneInfo) -> datetime:
    return (EPOCH + timedelta(microseconds=within(instant))).astimezone(zone)


def _later(instant: int, months: int, days: int, zone: ZoneInfo) -> int:
    """The same time of the clock, months and days later; 31 January and a month is the end of February.

    A time that the clock leaves out when it is put forward is an hour earlier by that clock; of a time that comes
    twice it is the first.
    """
    local = _local(instant, zone)
    at = _shifted(local.year, local.month, local.day, months)
    try:
        wall = datetime(*at, local.hour, local.minute, local.second, local.microsecond) + timedelta(days=days)  # noqa: DTZ001  # of the clock in `zone`
    except (ValueError, OverflowError):
        return int(decline())
    first = wall.replace(tzinfo=zone)
    as_it_stands = first.astimezone(UTC).astimezone(zone).replace(tzinfo=None) == wall
    moved_to = (first if as_it_stands else first.replace(fold=1)).astimezone(UTC)
    return within((moved_to - EPOCH) // _MICROSECOND)


def _months_later(day_number: int, months: int) -> int:
    since = EPOCH.date() + timedelta(days=day_number)
    try:
        return (date(*_shifted(since.year, since.month, since.day, months)) - EPOCH.date()).days
    except ValueError:
        return int(decline())


def _shifted(year: int, month: int, day_of_month: int, months: int) -> tuple[int, int, int]:
    year, month = divmod(year * 12 + month - 1 + months, 12)
    if not 1900 <= year < 2299:
        decline()
    return year, month + 1, min(day_of_month, calendar.monthrange(year, month + 1)[1])
