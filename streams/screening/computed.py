"""Computes what the policies say of rows that were read, and reads what was found.

The policies are the definition of one table; rows get there through an INSERT that stays open (open_insert.py), since
analysing the policies takes longer than a batch. There may be two such, one of them for usual rows (usual.py).
"""

from __future__ import annotations

import gc
import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from inzage.streams.screening.column import LEAST, LENGTH, Column
from inzage.streams.screening.embedded import Embedded
from inzage.streams.screening.native_block import preceded, texts, whole_numbers
from inzage.streams.screening.row import Hit, Row
from inzage.streams.screening.usual import Usual
from inzage.streams.screening.view import Plan, codes

_NEVER = "1, 1000000000, 1000000000, 1000000000, 1000000000, 1000000000000, 1000000000000"
"""What a Buffer table waits for until it lets go of its rows: parts, and the least and most seconds, rows, bytes."""

_MILLISECONDS = "DateTime64(3, 'UTC')"
_FIRST_SEEN = 4  # columns of what was found: before it stands the row's place, behind it what the rules say


class Judged(NamedTuple):
    """What was found in rows, those of them with text in no encoding, and those that nothing was found out about."""

    hits: list[Hit]
    lost: list[Row]
    unusual: list[Row]


class Computed:
    """The table of one controller. `of_many`: no INSERT of it stays open."""

    def __init__(self, embedded: Embedded, database: str, plan: Plan, read: str, *, of_many: bool) -> None:
        """Make the table; raises `RuntimeError` when the predicates make none. `read`: where rows stand decoded."""
        self._embedded, self._plan, self._of_many = embedded, plan, of_many
        self._read, self._table = read, f"{database}.judged"
        judged = ",\n  ".join(column.definition() for column in plan.judged)
        embedded.query(f"CREATE TABLE {self._table} (\n  {judged}\n) ENGINE = Buffer('', '', {_NEVER})")

    def let_go(self) -> None:
        """End what reads the tables of references, dossiers and counters: until then none of them can be emptied."""
        self._embedded.close_inserts(self._table)

    def judge(self, rows: Sequence[Row], usual: Usual | None = None) -> Judged | None:
        """What is found in `rows`, which are all that was read; None when an expression fails on some of them.

        With `usual`, no more of them was decoded, and what is found is void of those that are not.
        """
        return self._found(rows) if self._computed(rows, usual) else None

    def judge_block(self, block: bytes, rows: int) -> list[Hit] | None:
        """The same of so many rows whose columns, those of `Plan.named`, are in `block` in Native format."""
        return self._found(()).hits if self._put(block, rows, self._plan.named) else None

    def _computed(self, rows: Sequence[Row], usual: Usual | None) -> bool:
        left_out = usual.unnamed if usual else {LENGTH, LEAST}
        named = [column for column in self._plan.given if column.name not in left_out]
        about = _about(named, rows)
        said = {column.name: column.given for column in named if column.given}
        if usual:
            said[LEAST] = f"toInt64({usual.least})"
        asked = ", ".join(
            f"{said.get(column.name, f'`{column.name}`')} AS `{column.name}`" for column in named[len(about) :]
        )
        block = self._embedded.query(f"SELECT {asked} FROM {self._read}", "Native")
        return self._put(preceded(block, len(rows), about), len(rows), named)

    def _put(self, block: bytes, rows: int, named: Iterable[Column]) -> bool:
        """Compute everything of the rows in `block`; False when an expression fails on what some of them say."""
        insert = f"INSERT INTO {self._table} ({', '.join(f'`{column.name}`' for column in named)})"
        self._embedded.query(f"OPTIMIZE TABLE {self._table}")  # lets go of what it held
        if not self._of_many and self._embedded.open_insert(self._table, insert).feed(block, rows):
            return True
        self._embedded.query(f"OPTIMIZE TABLE {self._table}")
        return self._embedded.insert_file(insert, "Native", block)  # says what was wrong

    def _found(self, rows: Sequence[Row]) -> Judged:
        """What was found in the rows judged last; text in no encoding is no text."""
        lines = self._embedded.query(self._plan.found, "JSONCompactEachRow").splitlines()
        with _uncollected():
            said, lost = _read(lines)
            names = self._plan.columns[_FIRST_SEEN:-4]
            hits, unusual = [], set()
            for offset, horizon, now, fact, *seen, found, lower, due, is_unusual in said:
                place = (int(offset), int(horizon), int(now))
                if is_unusual:
                    unusual.add(place)
                    continue
                shown, instants = dict(zip(names, seen, strict=True)), tuple(sorted(map(int, due))) if due else ()
                hits.append(Hit(*place, fact, codes(found), frozenset(lower), shown, instants))
        return Judged(hits, self._of(rows, lost), self._of(rows, unusual))

    def _of(self, rows: Sequence[Row], places: Collection[tuple[int, ...]]) -> list[Row]:
        return [row for row in rows if (row.offset, row.horizon, row.now) in places] if places else []


def _about(named: Sequence[Column], rows: Sequence[Row]) -> list[bytes]:
    """The columns of what is said about rows beside their datums, with which `named` begins."""
    with _uncollected():
        offset, known_at, datum, fact, horizon, now = zip(*rows, strict=True)
    numbers: dict[str, Iterable[int]] = {"_offset": offset, "_horizon": horizon, LENGTH: map(len, datum)}
    instants = {"_time": known_at, "_now": now}
    columns = []
    for column in named:
        if column.name in numbers:
            columns.append(whole_numbers(column.name, column.type, numbers[column.name]))
        elif column.name in instants:
            columns.append(whole_numbers(column.name, _MILLISECONDS, instants[column.name]))
        elif column.name == "_fact":
            columns.append(texts(column.name, fact))
        else:
            break
    return columns


def _read(lines: list[bytes]) -> tuple[list[list[Any]], set[tuple[int, ...]]]:
    """The rows that were found, and the places of those with text in no encoding."""
    try:
        return json.loads(b"[" + b",".join(lines) + b"]"), set()
    except UnicodeDecodeError:
        said, lost = [], set()
    for line in lines:
        try:
            said.append(json.loads(line))
        except UnicodeDecodeError:
            lost.add(tuple(map(int, json.loads(line.decode(errors="replace"))[:3])))
    return said, lost


@contextmanager
def _uncollected() -> Iterator[None]:
    """While many objects are made that no cycle holds: looking for one takes longer than making them (measured)."""
    collected = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collected:
            gc.enable()
