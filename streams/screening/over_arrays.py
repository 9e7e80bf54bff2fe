"""Computes ClickHouse's functions that take a lambda: the parameter is a slot of the row, set for each element."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from inzage.streams.screening.column_types import INTEGERS, UINT8, Type, array_of
from inzage.streams.screening.expressions import Expression, Run, Slots, need

OverArray = Callable[[int, Expression, Expression], Expression]
"""Of the parameter's slot, the lambda's body and the array."""


def _exists(place: int, body: Expression, values: Expression) -> Expression:
    condition, array = _condition(body), values.run

    def run(row: Slots) -> int:
        for value in array(row):
            row[place] = value
            if condition(row):
                return 1
        return 0

    return Expression(UINT8, run)


def _all(place: int, body: Expression, values: Expression) -> Expression:
    condition, array = _condition(body), values.run

    def run(row: Slots) -> int:
        for value in array(row):
            row[place] = value
            if not condition(row):
                return 0
        return 1

    return Expression(UINT8, run)


def _filter(place: int, body: Expression, values: Expression) -> Expression:
    condition, array = _condition(body), values.run

    def run(row: Slots) -> Any:
        found = []
        for value in array(row):
            row[place] = value
            if condition(row):
                found.append(value)
        return tuple(found)

    return Expression(values.type, run)


def _count(place: int, body: Expression, values: Expression) -> Expression:
    found = _filter(place, body, values).run
    return Expression(Type("UInt32"), lambda row: len(found(row)))


def _map(place: int, body: Expression, values: Expression) -> Expression:
    make, array = body.run, values.run

    def run(row: Slots) -> Any:
        made = []
        for value in array(row):
            row[place] = value
            made.append(make(row))
        return tuple(made)

    return Expression(array_of(body.type), run)


def _sum_of(place: int, body: Expression, values: Expression) -> Expression:
    need(body.type.name in INTEGERS and not body.type.nullable, f"the sum of {body.type}")
    kind = Type("UInt64" if body.type.name.startswith("U") else "Int64")
    least, greatest = INTEGERS[kind.name]
    made = _map(place, body, values).run
    return Expression(kind, lambda row: (sum(made(row)) - least) % (greatest - least + 1) + least)


OVER_ARRAYS: dict[str, OverArray] = {
    "arrayall": _all,
    "arraycount": _count,
    "arrayexists": _exists,
    "arrayfilter": _filter,
    "arraymap": _map,
    "arraysum": _sum_of,
}


def _condition(body: Expression) -> Run:
    need(body.type.name in ("Bool", "UInt8", "Nothing"), f"{body.type} as a condition")
    return body.run
