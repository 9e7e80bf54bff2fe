"""Judges rows one by one without the engine, by the same checked expressions: right for few, too slow for many.

What a row needs is computed when it is first asked for, so a rule ends with its first condition that does not hold.
What was found is what the final SELECT of view.py would find, to the byte of every column that a verdict is made of.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from inzage.schemas.codec import Schema
from inzage.schemas.errors import ConfigError
from inzage.streams.dossier.time import FAR
from inzage.streams.screening.array_functions import array, array_flatten
from inzage.streams.screening.column_types import INSTANT, INT64, STRING, Declined, Show, decline, reader, shown
from inzage.streams.screening.event_bytes import event_reader, leaf_value
from inzage.streams.screening.event_fields import leaves
from inzage.streams.screening.expressions import Expression, Run, Slots, Unsupported, need
from inzage.streams.screening.functions import null_if
from inzage.streams.screening.held import Held, columns
from inzage.streams.screening.interpreter import Interpreter
from inzage.streams.screening.pack import LOOK, Policies, Rule
from inzage.streams.screening.predicate import Compiled
from inzage.streams.screening.row import Hit, Row
from inzage.streams.screening.view import NOT_EVALUABLE, OK, WARNING, View

_EVENT, _ROW, _HELD = 0, 1, 2
"""The first slots of a row: the event as read, the row it came in, what it is judged against."""

_FAR_MILLIS = int(FAR.timestamp() * 1000)


class Judged(NamedTuple):
    """One rule compiled; `warned` and `due` are absent where the rule has none."""

    position: int
    of_looks: bool
    violated: Run
    warned: Run | None
    due: tuple[Run, ...]


@dataclass(frozen=True, slots=True)
class Direct:
    """The policies of one controller as closures."""

    rules: dict[str, tuple[Judged, ...]]
    """By the kind of fact they judge; empty: activities."""
    lower: tuple[tuple[int, Run], ...]
    shown: tuple[tuple[str, Run, Show], ...]
    event_type: Run
    counted_as: Run
    blank: Slots

    def judge(self, held: Held, schema: Schema, rows: Sequence[Row]) -> tuple[list[Hit], list[Row]]:
        """What was found in `rows`, and the rows that only the engine can judge."""
        read = event_reader(schema)
        if read is None:
            return [], list(rows)
        hits, declined = [], []
        for row in rows:
            slots = self.blank.copy()
            try:
                slots[:3] = read(row.datum), row, held
                hit = self._found(slots, row)
            except Declined:
                declined.append(row)
                continue
            if hit is not None:
                hits.append(hit)
        return hits, declined

    def _found(self, slots: Slots, row: Row) -> Hit | None:
        rules = self.rules.get(row.fact, ())
        is_look = self.event_type(slots) == LOOK
        codes, due = [], set()
        for rule in rules:
            if rule.of_looks or not is_look:
                code = _code(rule, slots)
                if code:
                    codes.append((rule.position, code))
            for instants in rule.due:
                due |= {_millis(instant) for instant in instants(slots) if instant is not None}
        due = {instant for instant in due if instant < _FAR_MILLIS}
        if not (codes or due or self.counted_as(slots)):
            return None
        seen = {name: show(run(slots)) for name, run, show in self.shown}
        lower = frozenset(position if holds(slots) else -1 for position, holds in self.lower)
        return Hit(row.offset, row.horizon, row.now, row.fact, tuple(codes), lower, seen, tuple(sorted(due)))


def _code(rule: Judged, slots: Slots) -> int:
    value = rule.violated(slots)
    if value is None:
        return NOT_EVALUABLE
    if value == OK and rule.warned is not None and rule.warned(slots):
        return WARNING
    return int(value) if value < 4 else int(decline())


def _millis(instant: int) -> int:
    """The first millisecond at or after an instant, as the engine divides: towards 1970."""
    micros = instant + 999
    return micros // 1000 if micros >= 0 else -(-micros // 1000)


def direct(view: View, policies: Policies, names: Sequence[str]) -> Direct:
    """The policies compiled; `names` are the columns that a verdict is made of.

    Raises `ConfigError` naming the first expression that only ClickHouse evaluates.
    """
    compiling = Compiling(view)
    rules: dict[str, list[Judged]] = {}
    for position, rule in enumerate(policies.rules):
        rules.setdefault(rule.judges, []).append(compiling.rule(position, rule))
    lower = [
        (position, compiling.condition(entry.lower_severity.when, f"{entry.id}.lower_severity").run)
        for position, entry in enumerate(policies.entries)
        if entry.lower_severity
    ]
    made = [(name, compiling.column(view.physical(name))) for name in names]
    try:
        columns_shown = tuple((name, column.run, shown(column.type)) for name, column in made)
    except Declined as error:
        raise ConfigError(
            "a column of verdicts is of a type only ClickHouse writes", code="config.predicate"
        ) from error
    return Direct(
        {judges: tuple(of_kind) for judges, of_kind in rules.items()},
        tuple(lower),
        columns_shown,
        compiling.column(view.physical("event_type")).run,
        compiling.column(view.physical("counted_as")).run,
        compiling.interpreter.blank,
    )


class Compiling:
    """Compiles the expressions of one view, each column once."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._columns: dict[str, Expression] = {}
        self.interpreter = Interpreter(self.column, _look_up, 3)

    def rule(self, position: int, rule: Rule) -> Judged:
        where = f"entry {rule.entry.id}"
        violated = self.condition(rule.violated_when, where).run
        warned = self.condition(rule.warned_when, where).run if rule.warned_when is not None else None
        due = tuple(self._instants(text, f"{where}, due") for text in rule.due)
        return Judged(position, rule.of_looks, violated, warned, due)

    def condition(self, text: str, where: str) -> Expression:
        found = self._compiled(self._view.compile(text, where), where)
        if found.type.name not in ("Bool", "UInt8", "Nothing"):
            raise _only_engine(where, f"{found.type} as a result")
        return found

    def _instants(self, text: str, where: str) -> Run:
        """What is due, one instant or an array of them, as an array."""
        instants = array_flatten(array(self._compiled(self._view.compile(text, where), where)))
        if instants.type.element.name not in ("DateTime64", "Nothing"):
            raise _only_engine(where, f"{instants.type} as instants")
        return instants.run

    def column(self, name: str) -> Expression:
        """A column by its physical name."""
        if name not in self._columns:
            made = self._made(name)
            self._columns[name] = made if made.constant else self.interpreter.kept(made)
        return self._columns[name]

    def _made(self, name: str) -> Expression:
        if name in _OF_ROW:
            return _OF_ROW[name]
        if name.startswith("dossier_"):
            return _known(name.removeprefix("dossier_"), self.column("subject.pseudonym").run)
        derived = name.removeprefix("d_")
        if derived != name and self._view.physical(derived) == name:
            return self._compiled(self._view.column(derived), f"view column {derived}")
        leaf = _LEAVES.get(name.removeprefix("e_") if name.startswith("e_") else name)
        if leaf is None:
            raise Unsupported(f"column {name}")
        if name.startswith("e_") and leaf.is_symbol:
            return null_if(leaf_value(leaf), Expression(STRING, lambda _: "UNKNOWN", True))
        return leaf_value(leaf)

    def _compiled(self, compiled: Compiled, where: str) -> Expression:
        try:
            assert compiled.tree is not None
            return self.interpreter.alone(compiled.tree)
        except Unsupported as error:
            raise _only_engine(where, str(error)) from error


_LEAVES = {name: leaf for leaf in leaves().values() for name in (leaf.path, leaf.name)}

_OF_ROW = {
    "_offset": Expression(INT64, lambda slots: slots[_ROW].offset),
    "_horizon": Expression(INT64, lambda slots: slots[_ROW].horizon),
    "_time": Expression(INSTANT, lambda slots: slots[_ROW].known_at * 1000),
    "_now": Expression(INSTANT, lambda slots: slots[_ROW].now * 1000),
    "_fact": Expression(STRING, lambda slots: slots[_ROW].fact),
}


def _known(family: str, subject: Run) -> Expression:
    kind = columns("dossier")[family]
    read = reader(kind.element)
    return Expression(kind, lambda slots: slots[_HELD].known(family, read, subject(slots), slots[_ROW].horizon))


def _look_up(place: str, column: str, keys: list[Expression]) -> Expression:
    table = place.rpartition(".")[2]
    need(all(key.type == STRING for key in keys), f"a key of {table} that may be NULL")
    kind = columns(table)[column]
    runs, read = [key.run for key in keys], reader(kind)
    if table == "count":
        return Expression(kind, lambda slots: slots[_HELD].counted(runs[0](slots), read))
    if len(runs) == 1:
        [one] = runs
        return Expression(kind, lambda slots: slots[_HELD].look_up(table, column, read, (one(slots),)))

    def run(slots: Slots) -> Any:
        return slots[_HELD].look_up(table, column, read, tuple([key(slots) for key in runs]))

    return Expression(kind, run)


def _only_engine(where: str, what: str) -> ConfigError:
    return ConfigError(f"{where}: only ClickHouse evaluates {what}", code="config.predicate")
