"""Computes ClickHouse's functions as ClickHouse does: text is bytes, and letters are ASCII.

Those on arrays are in array_functions.py, those with a lambda in over_arrays.py. Each takes compiled arguments and
gives a compiled expression, or raises `Unsupported`. That they agree with the engine is shown by tests/differential:
every function on every combination of awkward arguments, evaluated by both.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any

from inzage.streams.screening import array_functions, instants
from inzage.streams.screening.column_types import FLOAT64, INTEGERS, NOTHING, STRING, UINT8, Type, array_of, decline
from inzage.streams.screening.expressions import (
    NULL,
    VOID,
    Expression,
    Slots,
    all_of,
    any_of,
    chosen,
    common,
    comparable,
    constant,
    first_known,
    lifted,
    need,
    negated,
    text,
)

Function = Callable[..., Expression]

_ASCII_UPPER = {code: code - 32 for code in range(ord("a"), ord("z") + 1)}
_ASCII_LOWER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}
_MOST = {"UInt8": float(1 << 31), "UInt16": float(1 << 31), "UInt32": float(1 << 63)}
"""Beyond these what a fraction becomes depends on the processor."""


# --- NULL and choices -----------------------------------------------------------------------------------------------


def is_null(operand: Expression) -> Expression:
    run = operand.run
    return Expression(UINT8, lambda row: 1 if run(row) is None else 0)


def is_not_null(operand: Expression) -> Expression:
    run = operand.run
    return Expression(UINT8, lambda row: 0 if run(row) is None else 1)


def if_null(first: Expression, second: Expression) -> Expression:
    return first_known((first, second))


def coalesce(*operands: Expression) -> Expression:
    return first_known(operands)


def null_if(first: Expression, second: Expression) -> Expression:
    first, second = comparable(first, second)
    value, other = first.run, second.run

    def run(row: Slots) -> Any:
        found = value(row)
        return None if found is None or found == other(row) else found

    return Expression(first.type.or_null(), run)


def if_(condition: Expression, then: Expression, otherwise: Expression) -> Expression:
    return chosen((condition,), (then, otherwise))


def multi_if(*operands: Expression) -> Expression:
    need(len(operands) > 2 and len(operands) % 2 == 1, "multiIf without a last value")
    return chosen(operands[:-1:2], (*operands[1::2], operands[-1]))


def extreme(choose: Callable[..., Any], *operands: Expression) -> Expression:
    """greatest and least: of those that are known."""
    kind = common([operand.type for operand in operands])
    need(kind.stated().name in ("String", "DateTime64", *INTEGERS), f"the greatest of {kind}")
    runs = [operand.run for operand in operands]

    def run(row: Slots) -> Any:
        return choose((value for value in [one(row) for one in runs] if value is not None), default=None)

    return Expression(kind, run)


# --- text and numbers -----------------------------------------------------------------------------------------------


def upper(operand: Expression) -> Expression:
    return lifted(STRING, lambda value: value.translate(_ASCII_UPPER), text(operand))


def lower(operand: Expression) -> Expression:
    return lifted(STRING, lambda value: value.translate(_ASCII_LOWER), text(operand))


def length(operand: Expression) -> Expression:
    kind = operand.type.name
    need(kind in ("String", "Array", "Map", "Nothing") and operand.type != VOID, f"length of {operand.type}")
    count = _bytes if kind == "String" else len
    return lifted(Type("UInt64"), count, operand)


def _bytes(value: str) -> int:
    return len(value) if value.isascii() else len(value.encode())


def empty(operand: Expression) -> Expression:
    need(operand.type.name in ("String", "Array", "Map", "Nothing"), f"whether {operand.type} is empty")
    return lifted(UINT8, lambda value: 0 if value else 1, operand)


def not_empty(operand: Expression) -> Expression:
    need(operand.type.name in ("String", "Array", "Map", "Nothing"), f"whether {operand.type} is empty")
    return lifted(UINT8, lambda value: 1 if value else 0, operand)


def concat(*operands: Expression) -> Expression:
    for operand in operands:
        text(operand)
    if any(operand.type == NOTHING for operand in operands):
        return NULL
    runs = [operand.run for operand in operands]

    def run(row: Slots) -> Any:
        parts = [one(row) for one in runs]
        return None if None in parts else "".join(parts)

    return Expression(STRING.or_null(any(operand.type.nullable for operand in operands)), run)


def starts_with(value: Expression, prefix: Expression) -> Expression:
    return lifted(UINT8, lambda one, other: 1 if one.startswith(other) else 0, text(value), text(prefix))


def ends_with(value: Expression, suffix: Expression) -> Expression:
    return lifted(UINT8, lambda one, other: 1 if one.endswith(other) else 0, text(value), text(suffix))


def position(value: Expression, part: Expression) -> Expression:
    """Where a part stands in a text, in bytes from 1; 0 when it does not."""
    return lifted(Type("UInt64"), _position, text(value), text(part))


def _position(value: str, part: str) -> int:
    found = value.find(part)
    return found + 1 if found <= 0 else _bytes(value[:found]) + 1


def like(value: Expression, pattern: Expression) -> Expression:
    need(pattern.constant and pattern.type == STRING, "LIKE without a literal")
    written = pattern.run([])
    need("\\" not in written, "LIKE with escapes")
    parts = {"%": ".*", "_": "."}
    matches = re.compile("".join(parts.get(one, re.escape(one)) for one in written), re.DOTALL).fullmatch
    return lifted(UINT8, lambda one: 1 if matches(one) else 0, text(value))


def multi_search_any(value: Expression, parts: Expression) -> Expression:
    need(parts.constant and parts.type == array_of(STRING), "multiSearchAny without literals")
    sought = parts.run([])
    return lifted(UINT8, lambda one: 1 if any(part in one for part in sought) else 0, text(value))


def whole(name: str, operand: Expression) -> Expression:
    """toUInt32 and the like: what does not fit loses its upper bits."""
    need(operand.type.is_number or operand.type == NOTHING, f"{operand.type} as a number")
    mask = INTEGERS[name][1]
    if operand.type.name == "Float64":
        most = _MOST[name]
        return lifted(Type(name), lambda value: int(value) & mask if abs(value) < most else decline(), operand)
    return lifted(Type(name), lambda value: int(value) & mask, operand)


def plus(left: Expression, right: Expression, sign: int = 1) -> Expression:
    if right.type.is_interval:
        return instants.moved(left, right, sign)
    if left.type == NOTHING or right.type == NOTHING:
        return NULL
    need(left.type.is_number and right.type.is_number, f"{left.type} and {right.type}")
    kind = _sum_type(left.type.name, right.type.name, signed=sign < 0)
    if kind == FLOAT64:
        return lifted(kind, lambda one, other: float(one + sign * other), left, right)
    least, greatest = INTEGERS[kind.name]
    size = greatest - least + 1
    return lifted(kind, lambda one, other: (one + sign * other - least) % size + least, left, right)


def _sum_type(left: str, right: str, *, signed: bool) -> Type:
    """Twice as wide as the wider, 64 bits at most."""
    if "Float64" in (left, right):
        need(not {left, right} & {"Int64", "UInt64"}, "whole numbers of 64 bits beside fractions")
        return FLOAT64
    names = ["UInt8" if name == "Bool" else name for name in (left, right)]
    width = min(64, 2 * max(int(name.rpartition("Int")[2]) for name in names))
    unsigned = all(name.startswith("U") for name in names) and not signed
    return Type(f"{'U' if unsigned else ''}Int{width}")


def _constant_instant(value: Expression, precision: Expression, zone: Expression) -> Expression:
    need(value.constant and value.type == STRING and precision.constant and precision.run([]) == 6, "an instant")
    return constant(Type("DateTime64", zone="UTC"), instants.literal(value.run([]), zone.run([])))


def _in_zone(instant: Expression, zone: Expression) -> Expression:
    need(zone.constant and zone.type == STRING, "a zone that is no literal")
    return instants.in_zone(instant, zone.run([]))


FUNCTIONS: dict[str, Function] = {
    "and": lambda *operands: all_of(operands),
    "array": array_functions.array,
    "arrayconcat": array_functions.array_concat,
    "arrayelement": array_functions.element,
    "arrayflatten": array_functions.array_flatten,
    "arraymax": partial(array_functions.array_extreme, max),
    "arraymin": partial(array_functions.array_extreme, min),
    "arraysort": array_functions.array_sort,
    "arraystringconcat": array_functions.array_string_concat,
    "arrayuniq": array_functions.array_uniq,
    "coalesce": coalesce,
    "concat": concat,
    "empty": empty,
    "emptyarraystring": lambda: constant(array_of(STRING), ()),
    "endswith": ends_with,
    "greatest": partial(extreme, max),
    "has": array_functions.has,
    "hasall": array_functions.has_all,
    "hasany": array_functions.has_any,
    "if": if_,
    "ifnull": if_null,
    "isnotnull": is_not_null,
    "isnull": is_null,
    "least": partial(extreme, min),
    "length": length,
    "lower": lower,
    "mapkeys": array_functions.map_keys,
    "multiif": multi_if,
    "multisearchany": multi_search_any,
    "not": negated,
    "notempty": not_empty,
    "nullif": null_if,
    "or": lambda *operands: any_of(operands),
    "position": position,
    "startswith": starts_with,
    "todate32": instants.day,
    "todatetime64": _constant_instant,
    "totimezone": _in_zone,
    **{f"touint{bits}": partial(whole, f"UInt{bits}") for bits in (8, 16, 32)},
    **{
        f"tointerval{unit.lower()}": partial(instants.interval, unit)
        for unit in ("Millisecond", "Second", "Minute", "Hour", "Day", "Month", "Year")
    },
    "upper": upper,
}
"""Functions by name, in lower case, but for those that take a lambda."""
