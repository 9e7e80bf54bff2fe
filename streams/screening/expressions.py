"""Says what a compiled expression is: a type of ClickHouse and a closure over one row; and how NULL passes through.

A row is a list of slots: columns, computed when first read, and the parameters of lambdas. What has no exact meaning
here raises `Unsupported` while it is compiled: the controller's rows are then all judged by ClickHouse.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from inzage.streams.screening.column_types import (
    BOOL,
    FLOAT64,
    INTEGERS,
    NOTHING,
    UINT8,
    Type,
    array_of,
)

Slots = list[Any]
Run = Callable[[Slots], Any]

VOID = Type("Nothing")
"""The type of what an empty array holds."""

_MICROS_A_DAY = 86_400_000_000


class Unsupported(Exception):  # noqa: N818  # no failure: ClickHouse does it
    """An expression that only ClickHouse evaluates."""


@dataclass(frozen=True, slots=True)
class Expression:
    """What an expression gives for a row; `constant` when it is the same for every row."""

    type: Type
    run: Run
    constant: bool = False


def constant(kind: Type, value: Any) -> Expression:
    return Expression(kind, lambda _: value, True)


NULL = constant(NOTHING, None)


def lifted(kind: Type, function: Callable[..., Any], *arguments: Expression) -> Expression:
    """`function` of the arguments, NULL when one of them is."""
    if any(argument.type == NOTHING for argument in arguments):
        return NULL
    runs = [argument.run for argument in arguments]
    nullable = any(argument.type.nullable for argument in arguments)
    result = kind.or_null(nullable)
    if len(runs) == 1:
        one = runs[0]
        if not nullable:
            return Expression(result, lambda row: function(one(row)))
        return Expression(result, lambda row: None if (value := one(row)) is None else function(value))
    first, second, *more = runs
    if more:
        raise Unsupported(f"{len(runs)} arguments")
    if not nullable:
        return Expression(result, lambda row: function(first(row), second(row)))

    def run(row: Slots) -> Any:
        left = first(row)
        if left is None:
            return None
        right = second(row)
        return None if right is None else function(left, right)

    return Expression(result, run)


def common(types: Sequence[Type]) -> Type:
    """The type that has room for values of all `types`, as ClickHouse finds it."""
    stated = [kind for kind in types if kind.name != "Nothing"]
    nullable = any(kind.nullable for kind in types)
    if not stated:
        return NOTHING if nullable else VOID
    need(not (nullable and {kind.name for kind in stated} & {"Array", "Map", "Tuple"}), "an array or NULL")
    first = stated[0].stated()
    others = {kind.stated() for kind in stated}
    if len(others) == 1:
        return first.or_null(nullable)
    names = {kind.name for kind in others}
    if names == {"Array"}:
        return array_of(common([kind.element for kind in stated]))
    if names == {"DateTime64"}:
        return first.or_null(nullable)
    if all(kind.is_number for kind in others):
        return (first if names <= {"Bool", "UInt8"} else _number(names)).or_null(nullable)
    raise Unsupported(f"no common type of {', '.join(sorted(map(str, others)))}")


def _number(names: set[str]) -> Type:
    if "Float64" in names:
        if names & {"Int64", "UInt64"}:
            raise Unsupported("whole numbers of 64 bits beside fractions")
        return FLOAT64
    whole = {"UInt8" if name == "Bool" else name for name in names}
    least = min(INTEGERS[name][0] for name in whole)
    greatest = max(INTEGERS[name][1] for name in whole)
    for name in (f"{sign}Int{bits}" for bits in (8, 16, 32, 64) for sign in ("U", "")):
        if INTEGERS[name][0] <= least and greatest <= INTEGERS[name][1]:
            return Type(name)
    raise Unsupported("no whole number has room")


def comparable(left: Expression, right: Expression) -> tuple[Expression, Expression]:
    """The two as values that Python compares as ClickHouse would."""
    names = left.type.name, right.type.name
    if "Nothing" in names or (left.type.is_number and right.type.is_number):
        return left, right
    if names[0] == names[1] and names[0] in ("String", "DateTime64", "Date32"):
        return left, right
    if set(names) == {"Date32", "DateTime64"}:
        return _as_instant(left), _as_instant(right)
    raise Unsupported(f"{left.type} compared to {right.type}")


def _as_instant(side: Expression) -> Expression:
    """The day's first instant, where it is a day."""
    if side.type.name == "DateTime64":
        if side.type.zone != "UTC":
            raise Unsupported("a day compared to an instant elsewhere")
        return side
    return lifted(Type("DateTime64", zone="UTC"), lambda days: days * _MICROS_A_DAY, side)


def same_kind(element: Type, other: Type) -> None:
    """Refuse to look for what no element can be, and fractions, whose equality is a matter of taste."""
    kinds = {element.name, other.name} - {"Nothing"}
    if not (kinds <= {"String"} or kinds <= {"Bool", *INTEGERS}):
        raise Unsupported(f"{other} among {element}")


def need(holds: bool, what: str) -> None:
    if not holds:
        raise Unsupported(what)


def is_condition(kind: Type) -> bool:
    return kind.is_number or kind.name == "Nothing"


def all_of(operands: Sequence[Expression]) -> Expression:
    """AND: 0 as soon as one is, NULL when none is but one is not known."""
    runs = [operand.run for operand in operands]

    def run(row: Slots) -> Any:
        known: int | None = 1
        for operand in runs:
            value = operand(row)
            if value is None:
                known = None
            elif not value:
                return 0
        return known

    return Expression(_logical(operands), run)


def any_of(operands: Sequence[Expression]) -> Expression:
    """OR: 1 as soon as one holds, NULL when none does but one is not known."""
    runs = [operand.run for operand in operands]

    def run(row: Slots) -> Any:
        known: int | None = 0
        for operand in runs:
            value = operand(row)
            if value is None:
                known = None
            elif value:
                return 1
        return known

    return Expression(_logical(operands), run)


def _logical(operands: Sequence[Expression]) -> Type:
    for operand in operands:
        need(is_condition(operand.type), f"{operand.type} as a condition")
    kind = BOOL if any(operand.type == BOOL for operand in operands) else UINT8
    return kind.or_null(any(operand.type.nullable for operand in operands))


def negated(operand: Expression) -> Expression:
    need(is_condition(operand.type), f"NOT {operand.type}")
    kind = BOOL if operand.type.name == "Bool" else UINT8
    return lifted(kind, lambda value: 0 if value else 1, operand)


def chosen(conditions: Sequence[Expression], values: Sequence[Expression]) -> Expression:
    """The value of the first condition that holds, NULL being none; else the last, of which there is one more."""
    for condition in conditions:
        need(is_condition(condition.type), f"{condition.type} as a condition")
    kind = common([value.type for value in values])
    branches = [(condition.run, value.run) for condition, value in zip(conditions, values[:-1], strict=True)]
    otherwise = values[-1].run
    if len(branches) == 1:
        [(condition_run, value_run)] = branches
        return Expression(kind, lambda row: value_run(row) if condition_run(row) else otherwise(row))

    def run(row: Slots) -> Any:
        for condition, value in branches:
            if condition(row):
                return value(row)
        return otherwise(row)

    return Expression(kind, run)


def first_known(operands: Sequence[Expression]) -> Expression:
    """coalesce: the first that is not NULL."""
    taken: list[Expression] = []
    for operand in operands:
        if operand.type != NOTHING:
            taken.append(operand)
            if not operand.type.nullable:
                break
    if not taken:
        return NULL
    if len(taken) == 1:
        return taken[0]
    stated = common([operand.type.stated() for operand in taken])
    kind = stated.or_null(taken[-1].type.nullable)
    runs = [operand.run for operand in taken]

    def run(row: Slots) -> Any:
        for operand in runs:
            value = operand(row)
            if value is not None:
                return value
        return None

    return Expression(kind, run)


def text(operand: Expression) -> Expression:
    need(operand.type.name in ("String", "Nothing"), f"{operand.type} as text")
    return operand
