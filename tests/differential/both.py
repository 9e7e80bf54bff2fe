"""Has every row that is judged judged twice, by ClickHouse and without it, and keeps what differs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from unittest.mock import patch

from inzage.schemas.codec import Schema
from inzage.streams.screening.engine import Controller, Engine
from inzage.streams.screening.row import Hit, Row


@dataclass
class Both:
    """What came of judging twice. `declined` are rows that only ClickHouse would judge."""

    rows: int = 0
    hits: int = 0
    found: set[tuple[int, int]] = field(default_factory=set)
    """Positions of entries and results that occurred."""
    declined: list[Row] = field(default_factory=list)
    unreadable: list[Row] = field(default_factory=list)
    different: list[tuple[Hit | None, Hit | None, Row]] = field(default_factory=list)

    def judge(
        self, engine: Engine, controller: Controller, schema: Schema, rows: Sequence[Row]
    ) -> tuple[list[Hit], list[Row]]:
        """In place of `Engine.judge`: what ClickHouse finds, compared with what is found without it."""
        if not rows:
            return [], []
        hits, unreadable = engine.judge_at_once(controller, schema, rows)
        if controller.of_many:
            return hits, unreadable
        assert controller.direct is not None
        own, declined = controller.direct.judge(controller.held, schema, rows)
        self.rows += len(rows)
        self.hits += len(hits)
        self.declined += declined
        self.unreadable += unreadable
        left = {id(row) for row in declined}
        assert {id(row) for row in unreadable} <= left, "read what the engine could not"
        theirs, ours = _by_place(hits), _by_place(own)
        for row in rows:
            place = (row.offset, row.horizon, row.now)
            if id(row) not in left and _exactly(theirs.get(place)) != _exactly(ours.get(place)):
                self.different.append((theirs.get(place), ours.get(place), row))
        kept = [hit for hit in hits if (hit.offset, hit.horizon, hit.now) in ours]
        assert self.different or kept == own, "in another order"
        self.found |= {code for hit in own for code in hit.codes}
        return hits, unreadable

    def report(self) -> str:
        """The first difference, column by column."""
        if not self.different:
            return ""
        theirs, ours, row = self.different[0]
        lines = [f"{len(self.different)} of {self.rows} rows differ; offset {row.offset}, fact {row.fact!r}"]
        for name in ("codes", "lower", "due", "seen"):
            one, other = getattr(theirs, name, None), getattr(ours, name, None)
            if one != other:
                lines.append(f"{name}: ClickHouse {one}, without {other}")
        return "\n".join(lines)


def _by_place(hits: Sequence[Hit]) -> dict[tuple[int, int, int], Hit]:
    return {(hit.offset, hit.horizon, hit.now): hit for hit in hits}


def _exactly(hit: Hit | None) -> str:
    """A hit as text, in which true is not 1."""
    return repr(hit)


@contextmanager
def judged_twice() -> Iterator[Both]:
    """While this lasts every row is judged twice."""
    both = Both()

    def judge(
        engine: Engine, controller: Controller, schema: Schema, rows: Sequence[Row]
    ) -> tuple[list[Hit], list[Row]]:
        return both.judge(engine, controller, schema, rows)

    with patch.object(Engine, "judge", judge):
        yield both
