"""Checks and compiles the SQL of policies: ClickHouse expressions over the columns of the view, and nothing else.

Only expressions pass: no sub-query, no table, no function outside the allow-list, IN with literals only, literals
of enumerations spelt right. What runs is re-emitted from the checked syntax tree, never the text as written.
Traps this is there for: a misspelt literal silently compares false, a throwing function fails a whole batch.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError, TokenError

from inzage.schemas.errors import ConfigError
from inzage.schemas.vocabulary import closest, symbols

logging.getLogger("sqlglot").setLevel(logging.ERROR)

# None of these throws on any input of its types, reads anything but its arguments, or depends on the clock.
_FUNCTIONS = frozenset(
    """
    and array arrayall arrayany arrayconcat arraycount arrayelement arrayexists arrayfilter arrayflatten arraymap
    arraymax arraysum case coalesce concat empty emptyarraystring endswith greatest has hasall hasany if ifnull
    isnotnull isnull least length lower mapkeys multiif not notempty nullif or startswith todatetime64 tointervalday
    tointervalhour tointervalsecond touint8 tuple upper
    """.split()  # noqa: SIM905
)
_FORBIDDEN = (exp.Query, exp.Table, exp.From, exp.Exists, exp.Command, exp.Placeholder, exp.Parameter, exp.Star)


@dataclass(frozen=True, slots=True)
class Compiled:
    """A checked expression: `sql` over physical columns, and the names of the view it reads."""

    sql: str
    reads: frozenset[str]


@dataclass(frozen=True, slots=True)
class Scope:
    """What an expression may name. `physical` maps each name of the view to SQL, `enums` to its enumeration."""

    physical: Mapping[str, str]
    enums: Mapping[str, str]
    trusted: bool = False


def compile_predicate(text: str, scope: Scope, *, where: str) -> Compiled:
    """Check `text` and rewrite it over physical columns; raises `ConfigError` naming `where` and what is wrong."""
    tree = _parse(text, where)
    reads: set[str] = set()
    for node in list(tree.walk()):
        if isinstance(node, _FORBIDDEN):
            raise _refused(where, f"{type(node).__name__.lower()} is not allowed: only expressions over the view are")
        if isinstance(node, exp.Func) and not scope.trusted:
            _check_function(node, where)
        if isinstance(node, exp.In):
            _check_in(node, where)
    _check_literals(tree, scope, where)
    for column in list(tree.find_all(exp.Column)):
        name = _name(column)
        if _first(column) in _lambda_names(column):
            continue
        if name not in scope.physical:
            raise _refused(where, _unknown(name, scope))
        reads.add(name)
        column.replace(sqlglot.parse_one(scope.physical[name], read="clickhouse"))
    return Compiled(tree.sql(dialect="clickhouse"), frozenset(reads))


def _parse(text: str, where: str) -> exp.Expression:
    try:
        statements = sqlglot.parse(f"SELECT ({text}\n)", read="clickhouse")
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


def _check_function(node: exp.Func, where: str) -> None:
    if isinstance(node, exp.Cast):
        raise _refused(where, "a cast can throw: use an ...OrNull function")
    if not isinstance(node, exp.Connector) and _function(node) not in _FUNCTIONS:
        raise _refused(where, f"function {_function(node)} is not on the list of those allowed")


def _function(node: exp.Func) -> str:
    """The function's name as ClickHouse knows it, in lower case; `[...]` is array, CASE is case."""
    if isinstance(node, (exp.Array, exp.Case, exp.If)):
        return type(node).__name__.lower()
    return node.sql(dialect="clickhouse").partition("(")[0].lower()


def _check_in(node: exp.In, where: str) -> None:
    members = [*node.expressions]
    if isinstance(node.args.get("unnest"), exp.Expression) or node.args.get("query") or node.args.get("field"):
        raise _refused(where, "IN takes a list of literals")
    literal = (exp.Literal, exp.Tuple, exp.Paren)
    if not members or not all(isinstance(member, literal) for member in members):
        raise _refused(where, "IN takes a list of literals")


def _check_literals(tree: exp.Expression, scope: Scope, where: str) -> None:
    for column, literals in _compared(tree):
        enum = scope.enums.get(_name(column))
        if enum is None or _first(column) in _lambda_names(column):
            continue
        for literal in literals:
            if literal.is_string and literal.name and literal.name not in symbols(enum):
                near = closest(enum, literal.name)
                hint = f"; did you mean {near}?" if near else ""
                raise _refused(where, f"'{literal.name}' is not a term of {enum}{hint}")


def _compared(tree: exp.Expression) -> Iterator[tuple[exp.Column, list[exp.Literal]]]:
    """Columns with the literals they are compared to: =, !=, IN, has, hasAny, hasAll."""
    for node in tree.walk():
        if isinstance(node, (exp.EQ, exp.NEQ, exp.In)) or (
            isinstance(node, exp.Func) and _function(node) in ("has", "hasany", "hasall")
        ):
            columns = [child for child in node.iter_expressions() if isinstance(child, exp.Column)]
            literals = [
                literal
                for child in node.iter_expressions()
                if not isinstance(child, exp.Column)
                for literal in child.find_all(exp.Literal)
                if literal.find_ancestor(exp.EQ, exp.NEQ, exp.In, exp.Func) in (node, literal.parent)
            ]
            for column in columns:
                yield column, literals


def _name(column: exp.Column) -> str:
    return ".".join(part.name for part in column.parts)


def _first(column: exp.Column) -> str:
    return column.parts[0].name


def _lambda_names(node: exp.Expression) -> set[str]:
    names: set[str] = set()
    above = node.parent
    while above is not None:
        if isinstance(above, exp.Lambda):
            names |= {parameter.name for parameter in above.expressions}
        above = above.parent
    return names


def _unknown(name: str, scope: Scope) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, list(scope.physical), n=1, cutoff=0.7)
    return f"there is no column {name}" + (f"; did you mean {near[0]}?" if near else "")


def _refused(where: str, message: str) -> ConfigError:
    return ConfigError(f"{where}: {message}", code="config.predicate")
