"""Judges one batch of a controller in ClickHouse: decodes it, computes everything, reads what was found.

A batch of Avro datums goes in as one spliced container and comes back as columns, of which another table computes
everything else (computed.py): of usual rows in one go, of the others by themselves (usual.py). A datum that cannot be
read fails its whole container, so the culprits are looked for and the rest is judged. Each datum is followed by a
number that nobody outside knows: one with bytes too many or too few cannot pass for its neighbour, nor bring the end
along.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from functools import cache

from inzage.schemas.codec import Schema
from inzage.schemas.errors import InzageError
from inzage.schemas.splice import container, long_bytes, wrapped
from inzage.streams.screening.computed import Computed
from inzage.streams.screening.embedded import Embedded
from inzage.streams.screening.event_bytes import Condition, condition_of
from inzage.streams.screening.row import Hit, Row
from inzage.streams.screening.usual import ALL, Learnt
from inzage.streams.screening.view import END, WHOSE, Plan

MOST_DIRECT = 150
"""Rows that are judged one by one. Measured: 0.4 ms each, against 60 to 70 ms for a batch of the engine."""

Few = Callable[[Schema, Sequence[Row]], tuple[list[Hit], list[Row]]]
"""Judges rows one by one: their hits, and the rows that only the engine can judge."""

_BEFORE_OF_MANY = ({"name": WHOSE, "type": "long"},)
_AFTER = ({"name": END, "type": "long"},)


class Batch:
    """The two tables of one controller. `of_many`: the number of whose row it is stands before each datum."""

    def __init__(self, embedded: Embedded, database: str, plan: Plan, *, of_many: bool) -> None:
        """Make the tables; raises `RuntimeError` when the predicates make none."""
        self._embedded, self._database, self._of_many = embedded, database, of_many
        self._end = secrets.randbits(62)
        self._end_bytes = long_bytes(self._end)
        read = ", ".join(column.definition(all_kept=True) for column in plan.read)
        embedded.query(f"CREATE TABLE {database}.read ({read}) ENGINE = Memory")
        self._computed = Computed(embedded, database, plan, of_many=of_many)
        self._learnt = Learnt(embedded, database, plan)

    def judge(
        self, schema: Schema, rows: Sequence[Row], few: Few | None = None, tell: Callable[[], None] | None = None
    ) -> tuple[list[Hit], list[Row]]:
        """The hits of `rows`, whose datums were written with `schema`, and the rows that could not be read.

        `few` judges rows one by one; `tell` is called once those that can be read stand in their table.
        """
        readable, unreadable = self._readable(schema, rows)
        if tell is not None and readable:
            tell()
        hits, not_judged = self._judged(schema, readable, few) if readable else ([], [])
        if not_judged:
            lost = set(map(id, (*unreadable, *not_judged)))
            unreadable = [row for row in rows if id(row) in lost]
        return hits, unreadable

    def judge_block(self, block: bytes, rows: int) -> list[Hit] | None:
        """The hits of so many rows whose columns, those of `Plan.named`, are in `block` in Native format.

        None when an expression fails on what stands in some of them.
        """
        return self._computed.judge_block(block, rows)

    def let_go(self) -> None:
        """End what reads the tables of references, dossiers and counters: until then none of them can be emptied."""
        self._computed.let_go()

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

    def _judged(self, schema: Schema, rows: Sequence[Row], few: Few | None) -> tuple[list[Hit], list[Row]]:
        """The hits of `rows`, which stand in the table of what was read, and those that could not be judged."""
        usual = ALL if self._of_many else self._learnt.usual(len(rows))
        judged = self._computed.judge(rows, usual)
        if judged is None:
            self._learnt.forget()
            return self._judged_apart(schema, rows)
        hits, lost, unusual = judged
        if len(unusual) > MOST_DIRECT:
            self._learnt.narrow(len(rows))
            return self._judged(schema, rows, few)
        if unusual:
            more_hits, more_lost = self._judged_unusual(schema, unusual, few)
            in_order = {(row.offset, row.horizon, row.now): place for place, row in enumerate(rows)}
            hits = sorted(hits + more_hits, key=lambda hit: in_order[hit.offset, hit.horizon, hit.now])
            lost = lost + more_lost
        return hits, lost

    def _judged_unusual(self, schema: Schema, rows: Sequence[Row], few: Few | None) -> tuple[list[Hit], list[Row]]:
        """The same of rows that are not usual, and not many."""
        hits, rest = few(schema, rows) if few else ([], list(rows))
        if not rest:
            return hits, []
        more_hits, lost = self._judged_again(schema, rest)
        return hits + more_hits, lost

    def _judged_again(self, schema: Schema, rows: Sequence[Row]) -> tuple[list[Hit], list[Row]]:
        """The same of a part of the rows that were read, all in one INSERT unless an expression fails on some."""
        if not self._decoded(schema, rows):
            raise InzageError("the engine read a datum once, and not again", code="engine")
        judged = self._computed.judge(rows)
        return self._judged_apart(schema, rows) if judged is None else (judged.hits, judged.lost)

    def _judged_apart(self, schema: Schema, rows: Sequence[Row]) -> tuple[list[Hit], list[Row]]:
        """The same of rows on one of which an expression fails, found by halving."""
        if len(rows) == 1:
            return [], list(rows)
        middle = len(rows) // 2
        hits, lost = self._judged_again(schema, rows[:middle])
        more_hits, more_lost = self._judged_again(schema, rows[middle:])
        return hits + more_hits, lost + more_lost


@cache
def _wrapper(schema: Schema, of_many: bool, *, end: bool = True) -> str:  # the key of a cache
    return wrapped(schema, _BEFORE_OF_MANY if of_many else (), _AFTER if end else ())
