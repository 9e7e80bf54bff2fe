"""Decides which rows of a batch are usual, and what none of these says.

Of some hundred leaves of an event a controller's systems seldom fill more than a third. What they were not seen to
fill is neither decoded of usual rows nor named by their INSERT: it is constant there, and folded with what policies
make of it (column.py). The few rows that do say some of it are judged with everything: they are longer than what was
decoded of them takes (datum_size.py). What is found does not depend on any of this.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from inzage.schemas.codec import Schema
from inzage.streams.screening.datum_size import least
from inzage.streams.screening.decoding import Decoding
from inzage.streams.screening.embedded import Embedded
from inzage.streams.screening.event_bytes import event_reader
from inzage.streams.screening.row import Row
from inzage.streams.screening.view import Plan

LEARNT_FROM = 5_000
"""Rows of a batch that shows what is usual, and for which an INSERT of its own pays."""
_LEARNT_OF_MOST = 10_000  # rows: decoding everything takes time and memory
_SELDOM, _AT_MOST = 1_000, 100
"""Of so many rows one may say something unusual, and so many of a batch."""
_WORTH = 20  # columns; with fewer left out an INSERT of its own does not pay


@dataclass(frozen=True, slots=True)
class Usual:
    """Datums of a schema of which no more is decoded than `decoded`: the rest of a usual one says nothing."""

    unnamed: frozenset[str]
    """Columns of what was decoded, and of the dossier's keys, that say nothing of a usual row."""
    decoded: tuple[str, ...]
    least: str
    """SQL, from what was decoded: the bytes of the datum, if it is usual; fewer than those of any other."""


class Learnt:
    """What is usual in the batches of one controller, by schema, as far as they were seen: columns only leave it."""

    def __init__(self, embedded: Embedded, decoding: Decoding, plan: Plan) -> None:
        self._embedded, self._decoding, self._plan = embedded, decoding, plan
        columns = (*decoding.columns.values(), *plan.given)
        self._silent = {column.name: column.silent for column in columns if column.silent}
        """SQL, by column of those that may say nothing: whether a row of what was decoded says nothing in it."""
        self._known: dict[Schema, Usual | None] = {}
        """None where nothing is left out."""

    def usual(self, schema: Schema, rows: int) -> Usual | None:
        """What is usual in a batch of so many rows; None when nothing is left out."""
        return self._known.get(schema) if rows >= LEARNT_FROM else None

    def learn(self, schema: Schema, rows: Sequence[Row]) -> None:
        """Learn from a batch that can be read, unless that was done before."""
        if len(rows) >= LEARNT_FROM and schema not in self._known:
            some = rows[:_LEARNT_OF_MOST]
            self._known[schema] = self._learnt(schema, some, len(some), None)

    def narrow(self, schema: Schema, unusual: Sequence[Row], among: int) -> None:
        """Learn that less is usual, from those of so many rows that were not."""
        before = self._known[schema]
        assert before is not None
        after = self._learnt(schema, unusual, among, before.unnamed)
        learnt_nothing = after is None or after.unnamed == before.unnamed
        self._known[schema] = None if learnt_nothing else after

    def forget(self, schema: Schema) -> None:
        """Leave nothing out from now on."""
        self._known[schema] = None

    def leaving_out(self, schema: Schema, names: Collection[str]) -> Usual:
        """Datums of `schema` of which none of these columns, that may say nothing, is decoded or looked up."""
        columns = self._decoding.columns
        decoded = tuple(name for name in columns if name not in names)
        bytes_of = least(schema, decoded)
        keys = [self._silent[name] for name in sorted(names) if name not in columns]
        if keys:  # a person of whom something is known that is not looked up: no datum has no bytes
            bytes_of = f"if({' AND '.join(keys)}, {bytes_of}, 0)"
        return Usual(frozenset(names), decoded, bytes_of)

    def _learnt(self, schema: Schema, rows: Sequence[Row], among: int, within: frozenset[str] | None) -> Usual | None:
        """What no more than one of a thousand rows says, if `rows` are those that say anything at all `within`."""
        if event_reader(schema) is None:
            return None
        asked = [name for name in sorted(self._silent) if within is None or name in within]
        seldom = _seldom(self._counts(schema, rows, asked), min(among // _SELDOM, _AT_MOST))
        if sum(column.name in seldom for column in self._plan.given) < _WORTH:
            return None
        return self.leaving_out(schema, seldom)

    def _counts(self, schema: Schema, rows: Sequence[Row], names: Sequence[str]) -> Mapping[str, int]:
        """How many rows say something, by column; nothing of rows that cannot be read whole."""
        if not names or not self._decoding.decode(schema, rows, self._decoding.columns):
            return {}
        asked = ", ".join(f"countIf(NOT ({self._silent[name]}))" for name in names)
        counted = self._embedded.query(f"SELECT {asked} FROM {self._decoding.table}", "TSV").split()
        self._decoding.empty()
        return dict(zip(names, map(int, counted), strict=True))


def _seldom(counts: Mapping[str, int], most: int) -> Collection[str]:
    """The names that are counted least, together at most `most` times."""
    seldom = []
    for name in sorted(counts, key=lambda name: (counts[name], name)):
        most -= counts[name]
        if most < 0:
            break
        seldom.append(name)
    return frozenset(seldom)
