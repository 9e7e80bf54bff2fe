"""Checks and compiles the SQL of policies: ClickHouse expressions over the columns of the view, and nothing else.

Only expressions pass: no sub-query, no table, no function outside the allow-list, IN with literals only, literals
of enumerations spelt right, no parameter of a lambda that hides a column, and of a column that is encrypted only
whether it is there. What runs is re-emitted from the checked
syntax tree, never the text as written and without its comments.
Traps this is there for: a misspelt literal silently compares false, a throwing function fails a whole batch, a
parameter of a lambda shadows the column of that name.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache
from typing import Any, ClassVar

import sqlglot
from sqlglot import exp
from sqlglot.dialects.dialect import rename_func
from sqlglot.errors import ParseError, TokenError
from sqlglot.generators.clickhouse import ClickHouseGenerator

from inzage.schemas.errors import ConfigError
from inzage.streams.screening.enum_literals import check_literals, column_name, function_name, lambda_names

logging.getLogger("sqlglot").setLevel(logging.ERROR)

# None of these throws on any input of its types, reads anything but its arguments, or depends on the clock.
_FUNCTIONS = frozenset(
    """
    and array arrayall arrayany arrayconcat arraycount arrayelement arrayexists arrayfilter arrayflatten arraymap
    arraymax arraysum case coalesce concat empty emptyarraystring endswith greatest has hasall hasany if ifnull
    isnotnull isnull least length lower mapkeys multiif not notempty nullif or startswith todatetime64 tointervalday
    tointervalhour
    tointervalmillisecond tointervalsecond tuple upper
    """.split()  # noqa: SIM905
)
_OF_PRESENCE = frozenset({"empty", "isnotnull", "isnull", "mapkeys", "notempty"})
_BEFORE = "SELECT ("
_FORBIDDEN = (exp.Query, exp.Table, exp.From, exp.Exists, exp.Command, exp.Placeholder, exp.Parameter, exp.Star)
_THROWING = (exp.Mod, exp.IntDiv)  # by zero


@dataclass(frozen=True, slots=True)
class Compiled:
    """A checked expression: `sql` over physical columns, the names of the view it reads, and the tree of `sql`."""

    sql: str
    reads: frozenset[str]
    tree: exp.Expression | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Scope:
    """What an expression may name. `physical` maps each name of the view to SQL, `enums` to its enumeration.

    `encrypted` are the columns whose words the emitter encrypts.
    """

    physical: Mapping[str, str]
    enums: Mapping[str, str]
    trusted: bool = False
    encrypted: frozenset[str] = frozenset()

    @property
    def hidden_by_parameters(self) -> frozenset[str]:
        """Names that a parameter of a lambda must not have: columns as policies name them, and as they stand."""
        return _first_parts((*self.physical, *self.physical.values()))


def compile_predicate(text: str, scope: Scope, *, where: str) -> Compiled:
    """Check `text` and rewrite it over physical columns; raises `ConfigError` naming `where` and what is wrong."""
    tree = _parse(text, where)
    reads: set[str] = set()
    for node in list(tree.walk()):
        if isinstance(node, _FORBIDDEN):
            raise _refused(where, f"{type(node).__name__.lower()} is not allowed: only expressions over the view are")
        if isinstance(node, exp.In):
            _check_in(node, where)
        if isinstance(node, exp.Lambda):
            _check_lambda(node, scope, where)
        if not scope.trusted:
            _check_function(node, text, where)
    check_literals(tree, scope.enums, where)
    for column in list(tree.find_all(exp.Column)):
        name = column_name(column)
        if column.parts[0].name in lambda_names(column):
            continue
        if name not in scope.physical:
            raise _refused(where, f"{_unknown(name, scope)}{_place(column, text)}")
        if name in scope.encrypted and not _asks_only_presence(column):
            raise _refused(where, f"{name} is encrypted: a policy can ask whether it is there, not what it says")
        reads.add(name)
        column.replace(_column(scope.physical[name]).copy())
    return Compiled(_Written(dialect="clickhouse", comments=False).generate(tree), frozenset(reads), tree)


class _Written(ClickHouseGenerator):
    """Writes `if` as such and not as CASE: of a condition that is constant ClickHouse then keeps one branch."""

    TRANSFORMS: ClassVar[dict[Any, Any]] = {**ClickHouseGenerator.TRANSFORMS, exp.If: rename_func("if")}


@cache
def _column(physical: str) -> exp.Expr:
    return sqlglot.parse_one(physical, read="clickhouse")


def _parse(text: str, where: str) -> exp.Expression:
    try:
        statements = sqlglot.parse(f"{_BEFORE}{text}\n)", read="clickhouse")
    except (ParseError, TokenError) as error:
        place = f" at line {error.errors[0]['line']}" if isinstance(error, ParseError) and error.errors else ""
        raise _refused(where, f"cannot be parsed{place}") from error
    select = statements[0]
    plain = isinstance(select, exp.Select) and not any(
        value for name, value in select.args.items() if name not in ("expressions", "kind")
    )
    if len(statements) != 1 or select is None or not plain or len(select.expressions) != 1:
        raise _refused(where, "one expression is expected, and no clause after it")
    found = select.expressions[0]
    if not isinstance(found, exp.Paren):
        raise _refused(where, "one expression is expected")
    return exp.Paren(this=found.this.copy())


def _check_function(node: exp.Expr, text: str, where: str) -> None:
    if isinstance(node, _THROWING):
        raise _refused(where, "a remainder or whole division by zero throws")
    if not isinstance(node, exp.Func) or isinstance(node, exp.Connector):
        return
    if isinstance(node, exp.Cast):
        raise _refused(where, "a cast can throw: use an ...OrNull function")
    name = function_name(node)
    if name not in _FUNCTIONS:
        raise _refused(where, f"function {name} is not on the list of those allowed{_place(node, text)}")
    if name == "todatetime64":
        arguments = list(node.iter_expressions())
        if len(arguments) != 3 or not all(isinstance(argument, exp.Literal) for argument in arguments):
            raise _refused(where, "toDateTime64 takes a literal, a precision and a time zone: a column could throw")


def _asks_only_presence(column: exp.Column) -> bool:
    """Whether the column is asked for null or for being empty, or a map for its keys."""
    around = column.parent
    if isinstance(around, exp.Is):
        return isinstance(around.expression, exp.Null)
    return isinstance(around, exp.Func) and function_name(around) in _OF_PRESENCE


def _check_lambda(node: exp.Lambda, scope: Scope, where: str) -> None:
    if len(node.expressions) != 1:
        raise _refused(where, "a lambda takes one parameter: arrays of different sizes throw")
    parameter = node.expressions[0].name
    if parameter in lambda_names(node):
        raise _refused(where, f"lambda parameter {parameter} hides the one of the lambda around it")
    if parameter in scope.hidden_by_parameters:
        raise _refused(where, f"lambda parameter {parameter} hides a column of that name")


def _check_in(node: exp.In, where: str) -> None:
    members = [*node.expressions]
    if isinstance(node.args.get("unnest"), exp.Expression) or node.args.get("query") or node.args.get("field"):
        raise _refused(where, "IN takes a list of literals")
    literal = (exp.Literal, exp.Tuple, exp.Paren)
    if not members or not all(isinstance(member, literal) for member in members):
        raise _refused(where, "IN takes a list of literals")


def _unknown(name: str, scope: Scope) -> str:
    near = get_close_matches(name, list(scope.physical), n=1, cutoff=0.7)
    return f"there is no column {name}" + (f"; did you mean {near[0]}?" if near else "")


@cache
def _first_parts(names: tuple[str, ...]) -> frozenset[str]:
    return frozenset(name.strip("`").partition(".")[0] for name in names)


def _place(node: exp.Expr, text: str) -> str:
    """Where in `text` the first name of `node` stands, lines and columns counted from 1, when the parser kept it."""
    starts = [named.meta["start"] for named in (node, *node.find_all(exp.Identifier)) if "start" in named.meta]
    if not starts:
        return ""
    start = min(starts) - len(_BEFORE)
    return f" (line {text.count(chr(10), 0, start) + 1}, column {start - text.rfind(chr(10), 0, start)})"


def _refused(where: str, message: str) -> ConfigError:
    return ConfigError(f"{where}: {message}", code="config.predicate")
