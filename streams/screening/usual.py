"""Decides which rows of a batch are usual, and what none of these says.

Of some hundred leaves of an event a controller's systems seldom fill more than a third. What they were not seen to
fill is left out of the INSERT of usual rows: constant there, and folded with what policies make of it (column.py).
The few rows that do say some of it are judged with everything. What is found does not depend on any of this.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from inzage.streams.screening.embedded import Embedded
from inzage.streams.screening.view import Plan

LEARNT_FROM = 5_000
"""Rows of a batch that shows what is usual, and for which an INSERT of its own pays."""
_SELDOM, _AT_MOST = 1_000, 100
"""Of so many rows one may say something unusual, and so many of a batch."""
_WORTH = 20  # columns; with fewer left out an INSERT of its own does not pay


@dataclass(frozen=True, slots=True)
class Usual:
    """Rows of what was read that say nothing in the columns `unnamed`."""

    unnamed: frozenset[str] = frozenset()
    unusual: str = ""
    """SQL: whether a row that was read does say something there; empty when every row is usual."""


ALL = Usual()


class Learnt:
    """What is usual in the batches of one controller, as far as they were seen: columns only ever leave it."""

    def __init__(self, embedded: Embedded, database: str, plan: Plan) -> None:
        self._embedded, self._read = embedded, f"{database}.read"
        self._silent = {column.name: column.silent for column in plan.given if column.silent}
        self._known: Usual | None = None

    def usual(self, rows: int) -> Usual:
        """What is usual of the `rows` that were read, and learnt from them if nothing is known yet."""
        if rows < LEARNT_FROM:
            return ALL
        if self._known is None:
            self._known = self._learnt(rows, self._silent)
        return self._known

    def narrow(self, rows: int) -> None:
        """Learn from the `rows` that were read that less is usual."""
        if self._known is not None:
            self._known = self._learnt(rows, {name: self._silent[name] for name in self._known.unnamed})

    def forget(self) -> None:
        """Leave nothing out from now on."""
        self._known = ALL

    def _learnt(self, rows: int, silent: Mapping[str, str]) -> Usual:
        """What no more than one row in a thousand says."""
        if not silent:
            return ALL
        asked = ", ".join(f"countIf(NOT {condition})" for condition in silent.values())
        counts = map(int, self._embedded.query(f"SELECT {asked} FROM {self._read}", "TSV").split())
        unnamed = _seldom(dict(zip(silent, counts, strict=True)), min(rows // _SELDOM, _AT_MOST))
        if len(unnamed) < _WORTH:
            return ALL
        return Usual(frozenset(unnamed), f"NOT ({' AND '.join(silent[name] for name in unnamed)})")


def _seldom(counts: Mapping[str, int], most: int) -> Sequence[str]:
    """The names that are counted least, together at most `most` times."""
    seldom = []
    for name in sorted(counts, key=lambda name: (counts[name], name)):
        most -= counts[name]
        if most < 0:
            break
        seldom.append(name)
    return sorted(seldom)
