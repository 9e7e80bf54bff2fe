"""Refuses misspelt terms in policies: ClickHouse compares them silently, and they are never equal to anything.

A term is checked wherever it meets a column of an enumeration: compared, in a list, in a CASE, through ifNull and
the like, by index, or as the parameter of a lambda over the column.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sqlglot import exp

from inzage.schemas.errors import ConfigError
from inzage.schemas.vocabulary import closest, symbols

_COMPARISONS = (exp.EQ, exp.NEQ, exp.NullSafeEQ, exp.NullSafeNEQ, exp.In, exp.Like)
_MEMBERSHIP = ("has", "hasany", "hasall")
_SAME_TERMS = ("ifnull", "coalesce", "nullif", "arrayelement", "arrayfilter", "arrayconcat", "greatest", "least")
"""Functions whose result holds the terms of their arguments."""


def check_literals(tree: exp.Expr, enums: Mapping[str, str], where: str) -> None:
    """Raise `ConfigError` for the first literal that is no term of the enumeration it is compared to.

    `enums` maps columns of the view to their enumeration.
    """
    for operands in _compared(tree):
        names = [name for name in (_enum(operand, enums) for operand in operands) if name]
        one = any(isinstance(operand, exp.Column) and _column_enum(operand, enums) for operand in operands)
        for operand in operands if names else ():
            for literal in _literals(operand):
                _check(literal, names[0], where, whole=one and isinstance(operand.parent, _COMPARISONS))


def _check(literal: exp.Literal, enum: str, where: str, *, whole: bool) -> None:
    text = literal.name
    if not literal.is_string or not text:
        return
    if isinstance(literal.parent, exp.Like) and ("%" in text or "_" in text):
        text = text.rstrip("%")
        if any(symbol.startswith(text) for symbol in symbols(enum)):
            return
    if text not in symbols(enum):
        near = closest(enum, text)
        hint = f"; did you mean {near}?" if near else ""
        raise _refused(where, f"'{text}' is not a term of {enum}{hint}")
    if whole and text == "UNKNOWN":
        raise _refused(where, "UNKNOWN reads as NULL: ask IS NULL")


def _compared(tree: exp.Expr) -> Iterator[list[exp.Expr]]:
    """The operands that meet: of comparisons, IN, has, hasAny, hasAll, and the WHENs of a CASE with an operand."""
    for node in tree.walk():
        if isinstance(node, _COMPARISONS) or (isinstance(node, exp.Func) and function_name(node) in _MEMBERSHIP):
            yield list(node.iter_expressions())
        elif isinstance(node, exp.Case) and node.this is not None:
            yield [node.this, *(branch.this for branch in node.args["ifs"])]


def _enum(node: exp.Expr, enums: Mapping[str, str]) -> str | None:
    """The enumeration whose terms `node` holds."""
    if isinstance(node, (exp.Column, exp.Identifier)):
        return _parameter_enum(node, enums) or (_column_enum(node, enums) if isinstance(node, exp.Column) else None)
    if isinstance(node, (exp.Paren, exp.Bracket)) or function_name(node) in _SAME_TERMS:
        return next((enum for inner in node.iter_expressions() if (enum := _enum(inner, enums))), None)
    return None


def _column_enum(column: exp.Column, enums: Mapping[str, str]) -> str | None:
    return None if column.parts[0].name in lambda_names(column) else enums.get(column_name(column))


def _parameter_enum(column: exp.Column | exp.Identifier, enums: Mapping[str, str]) -> str | None:
    """The enumeration of the array that a lambda's parameter goes over."""
    above = column.parent
    while above is not None:
        if isinstance(above, exp.Lambda) and column.name in {parameter.name for parameter in above.expressions}:
            arrays = [other for other in _siblings(above) if other is not above]
            return next((enum for array in arrays if (enum := _enum(array, enums))), None)
        above = above.parent
    return None


def _siblings(node: exp.Expr) -> list[exp.Expr]:
    return list(node.parent.iter_expressions()) if node.parent is not None else []


def _literals(node: exp.Expr) -> Iterator[exp.Literal]:
    """The literals that `node` consists of: itself, those of a list, those ifNull and the like fall back to."""
    if isinstance(node, exp.Literal):
        yield node
    elif isinstance(node, (exp.Array, exp.Tuple, exp.Paren)) or function_name(node) in _SAME_TERMS:
        for inner in node.iter_expressions():
            yield from _literals(inner)


def function_name(node: exp.Expr) -> str:
    """The function's name as ClickHouse knows it, in lower case; `[...]` is array, CASE is case; else empty."""
    if isinstance(node, (exp.Array, exp.Case, exp.If)):
        return type(node).__name__.lower()
    if not isinstance(node, exp.Func) or isinstance(node, exp.Connector):
        return ""
    return node.sql(dialect="clickhouse").partition("(")[0].lower()


def column_name(column: exp.Column) -> str:
    """The name as a policy writes it: `recipient.category`."""
    return ".".join(part.name for part in column.parts)


def lambda_names(node: exp.Expr) -> set[str]:
    """The parameters of all lambdas around `node`."""
    names: set[str] = set()
    above = node.parent
    while above is not None:
        if isinstance(above, exp.Lambda):
            names |= {parameter.name for parameter in above.expressions}
        above = above.parent
    return names


def _refused(where: str, message: str) -> ConfigError:
    return ConfigError(f"{where}: {message}", code="config.predicate")
