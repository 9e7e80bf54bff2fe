"""Keeps what rows are judged against beside themselves: dossiers of persons, references, counters, as loaded last.

Few rows are judged from here; the engine is told only when it judges, so a lone event does not wait for its INSERTs.
A dossier is kept as it stands, not copied: what is learnt after a row's horizon that row does not see.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any

from inzage.streams.dossier.reference_rows import Key, Tables
from inzage.streams.dossier.rows import Row
from inzage.streams.dossier.versions import PersonDossier
from inzage.streams.screening.column_types import Read, Type, tables_of

Counted = Sequence[tuple[int, datetime, str]]
"""Offset, instant and receiver of each event of a counter."""


@dataclass(slots=True)
class Held:
    """What one controller's rows are judged against, and what of it the engine was not told yet.

    `read` makes a value of a column's type of what was loaded.
    """

    dossiers: dict[str, Mapping[str, Sequence[Row]]] = field(default_factory=dict)
    counts: dict[str, list[Row]] = field(default_factory=dict)
    tables: Tables = field(default_factory=dict)
    untold_persons: set[str] = field(default_factory=set)
    untold_counts: set[str] = field(default_factory=set)
    begun_afresh: bool = False
    """Whether the engine must forget its dossiers and counters first."""
    _read: dict[tuple[str, str, Key], Any] = field(default_factory=dict)

    def take_dossier(self, dossier: PersonDossier) -> None:
        """Put a dossier in place of what was there."""
        self.dossiers[dossier.subject] = dossier.versions
        self.untold_persons.add(dossier.subject)

    def take_counts(self, seen: Mapping[str, Counted]) -> None:
        """Put counters in place of what was there."""
        for key, counted in seen.items():
            rows = [{"known": known, "at": at, "who": who} for known, at, who in counted]
            if self.counts.get(key) != rows:
                self.counts[key] = rows
                self.untold_counts.add(key)

    def take_tables(self, tables: Tables) -> None:
        """Make the references what `tables` says."""
        if self.tables is not tables:
            self.tables = tables
            self._read.clear()

    def forget_persons(self) -> None:
        """Begin afresh, without dossiers and counters."""
        for kept in (self.dossiers, self.counts, self.untold_persons, self.untold_counts):
            kept.clear()
        self.begun_afresh = True

    def forget_dossiers(self, subjects: Iterable[str]) -> None:
        """Let go of the dossiers of some persons; what the engine was told of them stays true."""
        for subject in subjects:
            self.dossiers.pop(subject, None)
            self.untold_persons.discard(subject)

    def known(self, family: str, read: Read, subject: str, horizon: int) -> tuple[Any, ...]:
        """The rows of a person's dossier as the facts below the offset `horizon` say."""
        versions = self.dossiers.get(subject)
        if versions is None:
            return ()
        return tuple([read(row) for row in versions[family] if row["known_from"] < horizon <= row["known_to"]])

    def look_up(self, table: str, column: str, read: Read, key: Key) -> Any:
        """A column of the row of `key` in a table of references; the column's default when there is none."""
        place = table, column, key
        if place in self._read:
            return self._read[place]
        row = self.tables.get(table, {}).get(key)
        if row is None:
            return read(None)
        value = self._read[place] = read(row.get(column))
        return value

    def counted(self, key: str, read: Read) -> Any:
        """The events of a counter."""
        return read(self.counts.get(key))


@cache
def _tables() -> Mapping[str, Mapping[str, Type]]:
    return tables_of(files("inzage.streams.screening").joinpath("state.sql").read_text(encoding="utf-8"))


def columns(table: str) -> Mapping[str, Type]:
    """The columns of a table of state.sql, with their types."""
    return _tables()[table]
