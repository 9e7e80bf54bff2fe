"""Computes ClickHouse's functions on arrays and maps, whose elements may be NULL.

Where ClickHouse takes a NULL for the value beneath it, the function is left to ClickHouse.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from inzage.streams.screening.column_types import INTEGERS, NOTHING, STRING, UINT8, Type, array_of
from inzage.streams.screening.expressions import (
    NULL,
    VOID,
    Expression,
    Slots,
    common,
    constant,
    lifted,
    need,
    same_kind,
    text,
)


def array(*operands: Expression) -> Expression:
    kind = array_of(common([operand.type for operand in operands]) if operands else VOID)
    runs = [operand.run for operand in operands]
    if all(operand.constant for operand in operands):
        return constant(kind, tuple([one([]) for one in runs]))
    return Expression(kind, lambda row: tuple([one(row) for one in runs]))


def element(values: Expression, index: Expression) -> Expression:
    """One element, counted from 1 or from the end; beyond the ends the type's default."""
    need(values.type.name == "Array" and (index.type.name in INTEGERS), f"{values.type} at {index.type}")
    need(not (index.constant and index.run([]) == 0), "element 0, which throws")
    need(values.type.element != VOID, "an element of nothing")
    default = values.type.element.default

    def at(value: Sequence[Any], place: int) -> Any:
        if not 0 < abs(place) <= len(value):
            return default
        return value[place - 1 if place > 0 else place]

    return lifted(values.type.element, at, values, index)


def array_concat(*operands: Expression) -> Expression:
    kind = common([_array(operand).type for operand in operands])
    runs = [operand.run for operand in operands]
    return Expression(kind, lambda row: tuple([value for one in runs for value in one(row)]))


def array_flatten(operand: Expression) -> Expression:
    values = _array(operand)
    while values.type.element.name == "Array":
        values = Expression(values.type.element, partial(_flat, values.run))
    return values


def _flat(run: Callable[[Slots], Any], row: Slots) -> Any:
    return tuple([value for inner in run(row) for value in inner])


def has(values: Expression, value: Expression) -> Expression:
    same_kind(_array(values).type.element, value.type)
    need(not value.type.nullable, "whether NULL is there, which ClickHouse may take for what lies beneath it")
    run, sought = values.run, value.run
    return Expression(UINT8, lambda row: 1 if sought(row) in run(row) else 0)


def has_all(values: Expression, wanted: Expression) -> Expression:
    return _have(all, values, wanted)


def has_any(values: Expression, wanted: Expression) -> Expression:
    return _have(any, values, wanted)


def _have(enough: Callable[..., bool], values: Expression, wanted: Expression) -> Expression:
    if NOTHING in (values.type, wanted.type):
        return NULL
    one, other = _array(values).type.element, _array(wanted).type.element
    same_kind(one, other)
    need(not (one.nullable or other.nullable), "arrays with NULL, which ClickHouse may take for empty")
    have, want = values.run, wanted.run

    def run(row: Slots) -> int:
        found = have(row)
        return 1 if enough(value in found for value in want(row)) else 0

    return Expression(UINT8, run)


def array_extreme(choose: Callable[..., Any], operand: Expression) -> Expression:
    """arrayMin and arrayMax: of the elements that are known; of an empty array the type's default."""
    kind = _array(operand).type.element
    need(kind.name in ("DateTime64", *INTEGERS), f"the greatest of {operand.type}")
    run, default = operand.run, kind.default
    return Expression(kind, lambda row: choose((one for one in run(row) if one is not None), default=default))


def array_sort(operand: Expression) -> Expression:
    kind = _array(operand).type.element
    need(kind == STRING or (kind.name in INTEGERS and not kind.nullable), f"{operand.type} in order")
    run = operand.run
    return Expression(operand.type, lambda row: tuple(sorted(run(row))))


def array_uniq(operand: Expression) -> Expression:
    same_kind(_array(operand).type.element, NOTHING)
    run = operand.run
    return Expression(Type("UInt32"), lambda row: len(set(run(row))))


def array_string_concat(operand: Expression, between: Expression) -> Expression:
    plain = between.constant and between.type == STRING
    need(plain and _array(operand).type.element.name == "String", f"{operand.type} as text")
    run, separator = operand.run, text(between).run([])
    return Expression(STRING, lambda row: separator.join([one for one in run(row) if one is not None]))


def map_keys(operand: Expression) -> Expression:
    need(operand.type.name == "Map", f"keys of {operand.type}")
    run = operand.run
    return Expression(array_of(operand.type.inner[0]), lambda row: tuple(run(row)))


def _array(operand: Expression) -> Expression:
    need(operand.type.name == "Array", f"{operand.type} as an array")
    return operand
