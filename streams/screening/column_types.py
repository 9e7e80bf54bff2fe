"""Says which type a value has in ClickHouse: its default, how what was loaded becomes such a value, how it is shown.

Values outside ClickHouse are plain: NULL is None, a DateTime64 its microseconds since 1970 in UTC, a Date32 its days,
a tuple a tuple, Bool and numbers Python's own. What cannot be represented exactly is declined, never approximated.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_FIRST = (datetime(1900, 1, 1, tzinfo=UTC) - EPOCH) // _MICROSECOND
_LAST = (datetime(2299, 1, 1, tzinfo=UTC) - EPOCH) // _MICROSECOND
"""ClickHouse promises nothing about instants outside 1900 to 2299."""

INTEGERS = {
    f"{sign}Int{bits}": (0 if sign else -(1 << (bits - 1)), (1 << (bits if sign else bits - 1)) - 1)
    for sign in ("U", "")
    for bits in (8, 16, 32, 64)
}
"""Name -> least and greatest value."""

Show = Callable[[Any], Any]
Read = Callable[[Any], Any]


class Declined(Exception):  # noqa: N818  # no error: ClickHouse judges what is declined
    """What only ClickHouse can judge exactly."""


@dataclass(frozen=True, slots=True)
class Type:
    """A type of ClickHouse. `inner` are those of an array's elements or a tuple's fields, whose names are `names`."""

    name: str
    nullable: bool = False
    inner: tuple[Type, ...] = ()
    names: tuple[str, ...] = ()
    zone: str = ""

    def __str__(self) -> str:
        """As ClickHouse spells it."""
        if self.name == "Tuple" and self.names:
            fields = (f"{name} {inner}" for name, inner in zip(self.names, self.inner, strict=True))
            text = f"Tuple({', '.join(fields)})"
        elif self.name == "DateTime64":
            text = f"DateTime64(6, '{self.zone}')"
        else:
            text = self.name + (f"({', '.join(map(str, self.inner))})" if self.inner else "")
        return f"Nullable({text})" if self.nullable else text

    @property
    def element(self) -> Type:
        """The type of an array's elements."""
        return self.inner[0]

    @property
    def is_number(self) -> bool:
        return self.name in INTEGERS or self.name in ("Bool", "Float64")

    @property
    def is_interval(self) -> bool:
        return self.name.startswith("Interval")

    @property
    def default(self) -> Any:
        """What stands for a missing value: of a row that is not there, of an element beyond the end."""
        if self.nullable:
            return None
        if self.name == "Tuple":
            return tuple(inner.default for inner in self.inner)
        return "" if self.name == "String" else () if self.name in ("Array", "Map") else 0

    def or_null(self, nullable: bool = True) -> Type:
        """The same, nullable as well if `nullable`; arrays and tuples cannot be."""
        if not nullable or self.nullable or self.name in ("Array", "Map", "Tuple"):
            return self
        return replace(self, nullable=True)

    def stated(self) -> Type:
        """The same without NULL."""
        return replace(self, nullable=False) if self.nullable else self


NOTHING = Type("Nothing", nullable=True)
BOOL, UINT8, INT64, FLOAT64, STRING = (Type(name) for name in ("Bool", "UInt8", "Int64", "Float64", "String"))
INSTANT = Type("DateTime64", zone="UTC")


def array_of(element: Type) -> Type:
    return Type("Array", inner=(element,))


@cache
def read_type(text: str) -> Type:
    """The type that `text` names."""
    text = text.strip()
    name, _, rest = text.partition("(")
    inside = rest[:-1]
    if name == "Nullable":
        return read_type(inside).or_null()
    if name == "DateTime64":
        return Type("DateTime64", zone=inside.partition("'")[2].rstrip("'"))
    if name == "Tuple":
        pairs = [part.split(" ", 1) for part in _parts(inside)]
        return Type("Tuple", inner=tuple(read_type(kind) for _, kind in pairs), names=tuple(n for n, _ in pairs))
    if name in ("Array", "Map"):
        return Type(name, inner=tuple(map(read_type, _parts(inside))))
    return Type(name)


def _parts(text: str) -> list[str]:
    """What stands between the commas outside brackets."""
    parts, depth = [""], 0
    for character in text:
        depth += (character == "(") - (character == ")")
        if character == "," and not depth:
            parts.append("")
        else:
            parts[-1] += character
    return [part.strip() for part in parts]


def tables_of(sql: str) -> dict[str, dict[str, Type]]:
    """Table -> column -> type, of the CREATE TABLE statements in `sql`."""
    found = re.finditer(r"CREATE TABLE \{db\}\.(\w+) \(\n(.*?)\n\) ENGINE", sql, re.DOTALL)
    return {
        table[1]: {name: read_type(kind) for name, kind in (part.split(" ", 1) for part in _parts(table[2]))}
        for table in found
    }


@cache
def reader(kind: Type) -> Read:
    """Makes a value of what was loaded, as the engine does from its JSON; declines what is not of the type."""
    plain = _reader(kind)
    default = kind.default
    return lambda value: default if value is None else plain(value)


def _reader(kind: Type) -> Read:
    if kind.name == "Array":
        element = reader(kind.element)
        return lambda values: tuple(map(element, _must(values, list, tuple)))
    if kind.name == "Tuple":
        fields = [(name, reader(inner)) for name, inner in zip(kind.names, kind.inner, strict=True)]
        return lambda row: tuple([read(_must(row, dict).get(name)) for name, read in fields])
    if kind.name == "DateTime64":
        return lambda value: within((_must(value, datetime) - EPOCH) // _MICROSECOND)
    if kind.name == "Date32":
        return lambda value: _day(_must(value, str))
    if kind.name in INTEGERS:
        least, greatest = INTEGERS[kind.name]
        return lambda value: value if least <= _must(value, int) <= greatest else decline()
    if kind.name == "Float64":
        return lambda value: float(_must(value, int, float))
    return {"String": lambda value: _must(value, str), "Bool": lambda value: _must(value, bool)}[kind.name]


def _day(text: str) -> int:
    day = date.fromisoformat(text)
    return (day - EPOCH.date()).days if 1900 <= day.year < 2299 else int(decline())


def _must(value: Any, *types: type) -> Any:
    return value if isinstance(value, types) else decline()


def decline() -> Any:
    raise Declined


def within(instant: int) -> int:
    """The instant, when ClickHouse knows it."""
    return instant if _FIRST <= instant < _LAST else decline()


@cache
def shown(kind: Type) -> Show:
    """Gives a value as it stands in the JSON that the engine writes."""
    if kind.name == "Array":
        element = shown(kind.element)
        return lambda values: [element(value) for value in values]
    if kind.name == "DateTime64" and kind.zone == "UTC":
        return lambda value: None if value is None else written(value)
    if kind.name == "Bool":
        return lambda value: None if value is None else bool(value)
    if kind.name in INTEGERS:
        return lambda value: None if value is None else int(value)
    if kind.name in ("String", "Nothing"):
        return lambda value: value
    raise Declined


def written(instant: int) -> str:
    """An instant as ClickHouse writes it, UTC."""
    return (EPOCH + timedelta(microseconds=instant)).strftime("%Y-%m-%d %H:%M:%S.%f")
