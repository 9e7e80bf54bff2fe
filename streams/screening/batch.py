"""Judges one batch of a controller in ClickHouse: decodes it, computes everything, reads what was found.

A batch of Avro datums goes in as one spliced container and comes back as columns; a second table computes everything
else, through an INSERT that stays open (open_insert.py), since analysing the policies takes longer than a batch. A
datum that cannot be read fails its whole container, so the culprits are looked for and the rest is judged. Each datum
is followed by a number that nobody outside knows: one with bytes too many or too few cannot pass for its neighbour,
nor bring the end along.
"""

from __future__ import annotations

import gc
import json
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

from inzage.schemas.codec import Schema
from inzage.schemas.errors import InzageError
from inzage.schemas.splice import container, long_bytes, wrapped
from inzage.streams.screening.embedded import Embedded
from inzage.streams.screening.event_bytes import Condition, condition_of
from inzage.streams.screening.native_block import preceded, texts, whole_numbers
from inzage.streams.screening.row import Hit, Row
from inzage.streams.screening.view import END, WHOSE, Plan, codes

_NEVER = "1, 1000000000, 1000000000, 1000000000, 1000000000, 1000000000000, 1000000000000"
"""What a Buffer table waits for until it lets go of its rows: parts, and the least and most seconds, rows, bytes."""

_FIRST_SEEN = 4  # columns of what was found: before it stands the row's place, behind it what the rules say

_BEFORE_OF_MANY = ({"name": WHOSE, "type": "long"},)
_AFTER = ({"name": END, "type": "long"},)


class Batch:
    """The two tables of one controller. `of_many`: the number of whose row it is stands before each datum."""

    def __init__(self, embedded: Embedded, database: str, plan: Plan, *, of_many: bool) -> None:
        """Make the tables; raises `RuntimeError` when the predicates make none."""
        self._embedded, self._database, self._plan, self._of_many = embedded, database, plan, of_many
        self._end = secrets.randbits(62)
        self._end_bytes = long_bytes(self._end)
        read = ", ".join(column.definition(all_kept=True) for column in plan.read)
        judged = ",\n  ".join(column.definition() for column in plan.judged)
        embedded.query(f"CREATE TABLE {database}.read ({read}) ENGINE = Memory")
        embedded.query(f"CREATE TABLE {database}.judged (\n  {judged}\n) ENGINE = Buffer('', '', {_NEVER})")

    def judge(self, schema: Schema, rows: Sequence[Row]) -> tuple[list[Hit], list[Row]]:
        """The hits of `rows`, whose datums were written with `schema`, and the rows that could not be read."""
        readable, unreadable = self._readable(schema, rows)
        hits, not_judged = self._judged(schema, readable) if readable else ([], [])
        if not_judged:
            lost = set(map(id, (*unreadable, *not_judged)))
            unreadable = [row for row in rows if id(row) in lost]
        return hits, unreadable

    def judge_block(self, block: bytes, rows: int) -> list[Hit] | None:
        """The hits of so many rows whose columns, those of `Plan.given`, are in `block` in Native format.

        None when an expression fails on what stands in some of them.
        """
        return self._found(())[0] if self._put(block, rows) else None

    def let_go(self) -> None:
        """End what reads the tables of references, dossiers and counters: until then none of them can be emptied."""
        self._embedded.close_insert(f"{self._database}.judged")

    # --- what Avro says --------------------------------------------------------------------------------------------

    def _readable(self, schema: Schema, rows: Sequence[Row]) -> tuple[Sequence[Row], list[Row]]:
        """Decode `rows`; those that now stand in the table of what was read, and those that nobody can read.

        Every look of the engine at a datum takes milliseconds, so it is asked only about those that are neither
        written as we write them nor broken for certain.
        """
        if self._decoded(schema, rows):
            return rows, []
        look = condition_of(_wrapper(schema, self._of_many, end=False))
        conditions = [look(row.datum) for row in rows]
        unsure = [row for row, found in zip(rows, conditions, strict=True) if found is Condition.UNSURE]
        lost = {id(row) for row, found in zip(rows, conditions, strict=True) if found is Condition.BROKEN}
        lost |= {id(row) for row in self._undecodable(schema, unsure)}
        rest = [row for row in rows if id(row) not in lost]
        if rest and not self._decoded(schema, rest):
            lost |= {id(row) for row in self._undecodable(schema, rest)}
            rest = [row for row in rest if id(row) not in lost]
            if rest and not self._decoded(schema, rest):
                raise InzageError("the engine reads each of these datums, but not all of them", code="engine")
        return rest, [row for row in rows if id(row) in lost]

    def _undecodable(self, schema: Schema, rows: Sequence[Row]) -> list[Row]:
        """Those of `rows` that the engine cannot read, found by halving."""
        if not rows or self._decoded(schema, rows):
            return []
        if len(rows) == 1:
            return list(rows)
        middle = len(rows) // 2
        return [
            *self._undecodable(schema, rows[:middle]),
            *self._undecodable(schema, rows[middle:]),
        ]

    def _decoded(self, schema: Schema, rows: Sequence[Row]) -> bool:
        """Put `rows` in place of what was read before; False when some datum among them cannot be read."""
        table = f"{self._database}.read"
        self._embedded.query(f"TRUNCATE TABLE {table}")
        parts = (self._end_bytes.join([row.datum for row in rows]), self._end_bytes)
        data = container(_wrapper(schema, self._of_many), parts, len(rows))
        if not self._embedded.insert(f"INSERT INTO {table}", "Avro", data):
            return False
        asked = f"SELECT count(), countIf(_end = {self._end}) FROM {table}"
        count, aligned = self._embedded.query(asked, "TSV").split()
        return int(count) == int(aligned) == len(rows)

    # --- what is computed of it ------------------------------------------------------------------------------------

    def _judged(self, schema: Schema, rows: Sequence[Row]) -> tuple[list[Hit], list[Row]]:
        """The hits of `rows`, which stand in the table of what was read, and those that could not be judged."""
        if self._computed(rows):
            return self._found(rows)
        if len(rows) == 1:
            return [], list(rows)
        middle = len(rows) // 2
        hits: list[Hit] = []
        lost: list[Row] = []
        for half in (rows[:middle], rows[middle:]):
            if not self._decoded(schema, half):
                raise InzageError("the engine read a datum once, and not again", code="engine")
            more_hits, more_lost = self._judged(schema, half)
            hits, lost = hits + more_hits, lost + more_lost
        return hits, lost

    def _computed(self, rows: Sequence[Row]) -> bool:
        """Compute everything; False when an expression fails on what stands in some row."""
        read = ", ".join(f"`{column.name}`" for column in self._plan.read if column.name != END)
        block = self._embedded.query(f"SELECT {read} FROM {self._database}.read", "Native")
        return self._put(preceded(block, len(rows), self._about(rows)), len(rows))

    def _put(self, block: bytes, rows: int) -> bool:
        """Compute everything of the rows in `block`; False when an expression fails on what stands in some row."""
        given = ", ".join(f"`{column.name}`" for column in self._plan.given)
        table = f"{self._database}.judged"
        insert = f"INSERT INTO {table} ({given})"
        self._embedded.query(f"OPTIMIZE TABLE {table}")  # lets go of what it held
        if not self._of_many and self._embedded.open_insert(table, insert).feed(block, rows):
            return True
        self._embedded.query(f"OPTIMIZE TABLE {table}")
        return self._embedded.insert_file(insert, "Native", block)  # says what was wrong

    def _about(self, rows: Sequence[Row]) -> list[bytes]:
        """The columns of what is said about rows beside their datums, as `Plan.given` begins with them."""
        numbers = {
            "_offset": [row.offset for row in rows],
            "_time": [row.known_at * 1000 for row in rows],
            "_horizon": [row.horizon for row in rows],
            "_now": [row.now * 1000 for row in rows],
        }
        return [
            whole_numbers(column.name, column.type, numbers[column.name])
            if column.name in numbers
            else texts(column.name, [row.fact for row in rows])
            for column in self._plan.given[: len(numbers) + 1]
        ]

    def _found(self, rows: Sequence[Row]) -> tuple[list[Hit], list[Row]]:
        """What was found in the rows judged last, and rows that cannot be read: text in no encoding is no text."""
        lines = self._embedded.query(self._plan.found, "JSONCompactEachRow").splitlines()
        with _uncollected():
            said, lost = _read(lines)
            names = self._plan.columns[_FIRST_SEEN:-3]
            hits = []
            for offset, horizon, now, fact, *seen, found, lower, due in said:
                place, instants = (int(offset), int(horizon), int(now)), tuple(sorted(map(int, due)))
                shown = dict(zip(names, seen, strict=True))
                hits.append(Hit(*place, fact, codes(bytes(found)), frozenset(lower), shown, instants))
        return hits, [row for row in rows if (row.offset, row.horizon, row.now) in lost] if lost else []


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


@cache
def _wrapper(schema: Schema, of_many: bool, *, end: bool = True) -> str:  # the key of a cache
    return wrapped(schema, _BEFORE_OF_MANY if of_many else (), _AFTER if end else ())
