"""Compiles the checked syntax tree of an expression into closures that judge one row without the engine.

The tree is the one that predicate.py re-emits as SQL, so both evaluators read the same. Only what reads the same in
both is taken: an operand that could belong to either of two operators is left to ClickHouse, as is every function
that is not known here (docs/adr/0009-two-evaluators.md).
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlglot import exp

from inzage.streams.screening.array_functions import element
from inzage.streams.screening.column_types import BOOL, FLOAT64, INTEGERS, NOTHING, STRING, UINT8, Type
from inzage.streams.screening.expressions import (
    NULL,
    VOID,
    Expression,
    Slots,
    Unsupported,
    all_of,
    any_of,
    chosen,
    comparable,
    constant,
    lifted,
    need,
    negated,
)
from inzage.streams.screening.functions import FUNCTIONS, like, plus
from inzage.streams.screening.over_arrays import OVER_ARRAYS, OverArray

Column = Callable[[str], Expression]
LookUp = Callable[[str, str, list[Expression]], Expression]

_COMPARISONS: dict[type[exp.Expr], Callable[[Any, Any], bool]] = {
    exp.EQ: operator.eq,
    exp.NEQ: operator.ne,
    exp.LT: operator.lt,
    exp.LTE: operator.le,
    exp.GT: operator.gt,
    exp.GTE: operator.ge,
}
_ARGUMENTS: dict[type[exp.Expr], tuple[str, tuple[str, ...]]] = {
    exp.ArrayConcat: ("arrayconcat", ("this", "expressions")),
    exp.ArrayContains: ("has", ("this", "expression")),
    exp.ArrayFilter: ("arrayfilter", ("expression", "this")),
    exp.ArrayMax: ("arraymax", ("this",)),
    exp.ArrayMin: ("arraymin", ("this",)),
    exp.ArraySum: ("arraysum", ("this", "expression")),
    exp.Array: ("array", ("expressions",)),
    exp.Coalesce: ("coalesce", ("this", "expressions")),
    exp.Concat: ("concat", ("expressions",)),
    exp.EndsWith: ("endswith", ("this", "expression")),
    exp.Greatest: ("greatest", ("this", "expressions")),
    exp.If: ("if", ("this", "true", "false")),
    exp.Least: ("least", ("this", "expressions")),
    exp.Length: ("length", ("this",)),
    exp.Lower: ("lower", ("this",)),
    exp.Nullif: ("nullif", ("this", "expression")),
    exp.StartsWith: ("startswith", ("this", "expression")),
    exp.StrPosition: ("position", ("this", "substr")),
    exp.Transform: ("arraymap", ("expression", "this")),
    exp.Upper: ("upper", ("this",)),
}
"""What sqlglot has a class for: ClickHouse's name, and where the arguments stand, in ClickHouse's order."""

_ATOMS = (exp.Paren, exp.Func, exp.Column, exp.Literal, exp.Bracket, exp.Dot, exp.Boolean, exp.Null, exp.Identifier)
_UNSET = object()


@dataclass(slots=True)
class Interpreter:
    """Compiles expressions over the columns that `column` gives by physical name, and the tables of `look_up`."""

    column: Column
    look_up: LookUp
    _slots: int = 0
    _parameters: dict[str, Expression] = field(default_factory=dict)

    @property
    def blank(self) -> Slots:
        """A row of which nothing is computed."""
        return [_UNSET] * self._slots

    def slot(self) -> int:
        """A new place in the row."""
        self._slots += 1
        return self._slots - 1

    def kept(self, expression: Expression) -> Expression:
        """The same, computed once a row."""
        place, compute = self.slot(), expression.run

        def run(row: Slots) -> Any:
            value = row[place]
            if value is _UNSET:
                value = row[place] = compute(row)
            return value

        return Expression(expression.type, run)

    def alone(self, tree: exp.Expression) -> Expression:
        """The closure of a whole expression, which no lambda stands around."""
        around, self._parameters = self._parameters, {}
        try:
            return self.expression(tree)
        finally:
            self._parameters = around

    def expression(self, node: exp.Expression) -> Expression:
        """The closure of a tree; raises `Unsupported` for what only ClickHouse evaluates."""
        for kind, compile_node in _NODES.items():
            if isinstance(node, kind):
                return compile_node(self, node)
        if isinstance(node, exp.Func):
            return self._call(node)
        raise Unsupported(type(node).__name__)

    def _operand(self, node: exp.Expression, *also: type[exp.Expr]) -> Expression:
        """An operand that no reader could give to another operator."""
        need(isinstance(node, (*_ATOMS, *also)) and not isinstance(node, exp.Connector), f"nested {node.key}")
        return self.expression(node)

    def _connected(self, node: exp.Expression) -> Expression:
        operands: list[exp.Expression] = []
        waiting = [node]
        while waiting:  # a chain as one function of many, as ClickHouse reads it
            last = waiting.pop()
            if type(last) is type(node):
                waiting += (last.this, last.expression)
            else:
                operands.append(last)
        compiled = [self.expression(operand) for operand in reversed(operands)]
        return all_of(compiled) if isinstance(node, exp.And) else any_of(compiled)

    def _not(self, node: exp.Expression) -> Expression:
        return negated(self._operand(node.this, *_COMPARISONS, exp.In, exp.Is, exp.Like, exp.Not))

    def _compared(self, node: exp.Expression) -> Expression:
        left, right = comparable(
            *(self._operand(side, exp.Add, exp.Sub, exp.Neg) for side in (node.this, node.expression))
        )
        compare = _COMPARISONS[type(node)]
        return lifted(UINT8, lambda one, other: 1 if compare(one, other) else 0, left, right)

    def _is(self, node: exp.Expression) -> Expression:
        need(isinstance(node.expression, exp.Null), "IS without NULL")
        return FUNCTIONS["isnull"](self._operand(node.this))

    def _in(self, node: exp.Expression) -> Expression:
        members = node.expressions
        need(bool(members) and all(isinstance(member, exp.Literal) for member in members), "IN without literals")
        literals = [_literal(member) for member in members]
        operand = self._operand(node.this)
        for literal in literals:
            need(operand.type.name == "Nothing" or _alike(operand.type, literal.type), "IN of another type")
        among = frozenset(literal.run([]) for literal in literals)
        return lifted(UINT8, lambda value: 1 if value in among else 0, operand)

    def _like(self, node: exp.Expression) -> Expression:
        return like(self._operand(node.this), self._operand(node.expression))

    def _sum(self, node: exp.Expression) -> Expression:
        left = self._operand(node.this, exp.Add, exp.Sub)
        return plus(left, self._operand(node.expression), 1 if isinstance(node, exp.Add) else -1)

    def _case(self, node: exp.Expression) -> Expression:
        need(node.this is None, "CASE with an operand")
        default = node.args.get("default")
        conditions = [self.expression(branch.this) for branch in node.args["ifs"]]
        values = [self.expression(branch.args["true"]) for branch in node.args["ifs"]]
        return chosen(conditions, [*values, self.expression(default) if default else NULL])

    def _bracket(self, node: exp.Expression) -> Expression:
        """One element. The parser counts from 0: it has taken 1 from an index whose value it knows."""
        need(len(node.expressions) == 1, "several indices")
        [index] = node.expressions
        if isinstance(index, (exp.Literal, exp.Neg)):
            number = _literal(index).run([]) + 1
            return element(self._operand(node.this), constant(UINT8 if number >= 0 else Type("Int8"), number))
        need(index.type is None or index.type.this == exp.DataType.Type.UNKNOWN, "an index of known type")
        return element(self._operand(node.this), self._operand(index, exp.Add))

    def _field(self, node: exp.Expression) -> Expression:
        """`s.from` of a parameter, `request[1].items` of an element."""
        need(isinstance(node.expression, exp.Identifier), "a field without a name")
        return _field_of(self._operand(node.this), node.expression.name)

    def _name(self, node: exp.Expression) -> Expression:
        parts = node.parts if isinstance(node, exp.Column) else [node]
        need(all(isinstance(part, exp.Identifier) for part in parts), "a name that is none")
        first, *fields = [part.name for part in parts]
        if first not in self._parameters:
            need(not fields, f"name {first}")
            return self.column(first)
        found = self._parameters[first]
        for name in fields:
            found = _field_of(found, name)
        return found

    def _call(self, node: exp.Func) -> Expression:
        name, arguments = _call_of(node)
        if name == "joinget":
            table, column, *keys = arguments
            need(isinstance(table, exp.Literal) and isinstance(column, exp.Literal), "joinGet without a table")
            return self.look_up(table.name, column.name, [self.expression(key) for key in keys])
        if arguments and isinstance(arguments[0], exp.Lambda):
            need(name in OVER_ARRAYS and len(arguments) == 2, f"{name} with a lambda")
            return self._over_array(OVER_ARRAYS[name], arguments[0], self.expression(arguments[1]))
        need(name in FUNCTIONS, f"function {name}")
        try:
            return FUNCTIONS[name](*map(self.expression, arguments))
        except TypeError as error:
            raise Unsupported(f"the arguments of {name}") from error

    def _over_array(self, make: OverArray, node: exp.Lambda, values: Expression) -> Expression:
        over_array = values.type.name == "Array" and values.type.element != VOID
        need(over_array and len(node.expressions) == 1, f"a lambda over {values.type}")
        place, name = self.slot(), node.expressions[0].name
        need(name not in self._parameters, f"parameter {name} within itself")
        self._parameters[name] = Expression(values.type.element, lambda row: row[place])
        body = self.expression(node.this)
        del self._parameters[name]
        return make(place, body, values)


def _call_of(node: exp.Func) -> tuple[str, list[exp.Expression]]:
    if isinstance(node, exp.Anonymous):
        return str(node.this).lower(), node.expressions
    need(type(node) in _ARGUMENTS, f"function {node.sql_name()}")
    name, places = _ARGUMENTS[type(node)]
    arguments: list[exp.Expression] = []
    for place in places:
        found = node.args.get(place)
        arguments += found if isinstance(found, list) else [found] if found is not None else []
    return name, arguments


def _field_of(operand: Expression, name: str) -> Expression:
    need(operand.type.name == "Tuple" and name in operand.type.names, f"field {name} of {operand.type.name}")
    place, run = operand.type.names.index(name), operand.run
    return Expression(operand.type.inner[place], lambda row: run(row)[place])


def _literal(node: exp.Expression) -> Expression:
    if isinstance(node, exp.Neg) and isinstance(node.this, exp.Literal) and not node.this.is_string:
        number = -_literal(node.this).run([])
        need(isinstance(number, int), "a fraction below zero")
        return constant(_whole(number), number)
    need(isinstance(node, exp.Literal), "a sign")
    if node.is_string:
        need(node.name.isprintable() and "\\" not in node.name, "a literal with escapes")
        return constant(STRING, node.name)
    if re.fullmatch(r"[0-9]+", node.name):
        return constant(_whole(int(node.name)), int(node.name))
    need(re.fullmatch(r"[0-9]+\.[0-9]+", node.name) is not None, f"number {node.name}")
    return constant(FLOAT64, float(node.name))


def _whole(number: int) -> Type:
    """The narrowest type of a literal."""
    signs = ("U",) if number >= 0 else ("",)
    for name in (f"{sign}Int{bits}" for sign in signs for bits in (8, 16, 32, 64)):
        if INTEGERS[name][0] <= number <= INTEGERS[name][1]:
            return Type(name)
    raise Unsupported(f"number {number}")


def _alike(operand: Type, literal: Type) -> bool:
    if operand.name == "String":
        return literal == STRING
    return operand.name in INTEGERS and literal.name in INTEGERS


_NODES: Mapping[type[exp.Expr], Callable[[Interpreter, Any], Expression]] = {
    exp.Paren: lambda of, node: of.expression(node.this),
    exp.And: Interpreter._connected,
    exp.Or: Interpreter._connected,
    exp.Not: Interpreter._not,
    **dict.fromkeys(_COMPARISONS, Interpreter._compared),
    exp.Is: Interpreter._is,
    exp.In: Interpreter._in,
    exp.Like: Interpreter._like,
    exp.Add: Interpreter._sum,
    exp.Sub: Interpreter._sum,
    exp.Case: Interpreter._case,
    exp.Bracket: Interpreter._bracket,
    exp.Dot: Interpreter._field,
    exp.Column: Interpreter._name,
    exp.Identifier: Interpreter._name,
    exp.Neg: lambda _, node: _literal(node),
    exp.Literal: lambda _, node: _literal(node),
    exp.Boolean: lambda _, node: constant(BOOL, 1 if node.this else 0),
    exp.Null: lambda _, node: constant(NOTHING, None),
}
