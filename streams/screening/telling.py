"""Tells ClickHouse what the rows of one controller are judged against: what it needs and does not know, in bounds.

A Join table keeps a row that was replaced, and each INSERT into it takes some 290 KB however little it says, until it
is emptied. So the tables are begun afresh when they hold much more than what is live of what they were told; a person
is then told again when the next batch speaks of them. What is found does not depend on when that happens.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from inzage.schemas.errors import InzageError
from inzage.streams.dossier.reference_rows import Key, Tables
from inzage.streams.dossier.registers import REGISTERS
from inzage.streams.dossier.rows import Row
from inzage.streams.screening.column import families_held
from inzage.streams.screening.embedded import Embedded
from inzage.streams.screening.held import Held

ROOM = 256 << 20
"""Bytes that the tables of a controller may take beyond twice what is live: some 900 INSERTs of a few rows each.

To begin afresh costs 1 to 2 s, most of it analysing the policies for INSERTs that are opened again: 2 ms for each."""

_AN_INSERT = 300_000
"""Bytes that an INSERT is reckoned to take beside its rows, until ClickHouse is asked what it took."""

KEYS = {
    "org": ("org_id",),
    "matrix": ("org_id", "role", "purpose"),
    "template": ("plan", "purpose"),
    "classification": ("key",),
    "consent_rule": ("key",),
    "interest": ("purpose",),
    "international_agreement": ("ref",),
    "country": ("code",),
    "setting": ("name",),
    "registry": ("name",),
    **{register.table: register.columns for register in REGISTERS.values()},
}
"""The keys of the tables of references."""
_OF_PERSONS = ("dossier", "count")


class Telling:
    """What the engine was told of what `held` holds.

    `let_go` ends what reads the tables: until then none of them can be emptied (docs/adr/0010).
    """

    def __init__(self, embedded: Embedded, database: str, held: Held, let_go: Callable[[], None]) -> None:
        self._embedded, self._database, self._held, self._let_go = embedded, database, held, let_go
        self._persons: dict[str, int] = {}
        self._counts: dict[str, int] = {}
        self._references: dict[str, dict[Key, str]] = {}
        """By table, the rows as they were told."""
        self._tables: Tables | None = None
        self._held_nowhere_else = False
        self._taken = self._room = 0
        """Bytes that the tables take at most, and that they may take before what is live is counted anew."""

    def tell(self) -> None:
        """Tell references and counters that changed since the engine judged last; no block may be under way."""
        if self._held.begun_afresh:
            self._empty(_OF_PERSONS)
            self._held.begun_afresh = self._held_nowhere_else = False
        if not self._held_nowhere_else and self._is_crowded():
            self.begin_afresh()
        self._tell_counts()
        self._tell_references()

    def tell_persons(self) -> None:
        """Tell every dossier that changed."""
        self._tell_dossiers(list(self._held.untold_persons))

    def tell_persons_read(self) -> None:
        """The same of persons of whom the rows speak that were read, and of nobody else."""
        untold = self._held.untold_persons
        if untold:
            asked = f"SELECT DISTINCT `subject.pseudonym` FROM {self._database}.read"
            (read,) = json.loads(self._embedded.query(asked, "JSONCompactColumns").decode(errors="replace"))
            self._tell_dossiers([subject for subject in read if subject in untold])

    def tell_texts(self, texts: Mapping[str, Sequence[str]]) -> None:
        """Tell rows, by table, that are held nowhere else: until persons are forgotten nothing is begun afresh."""
        self._held_nowhere_else = True
        for name, of_table in texts.items():
            self._insert(name, of_table)

    def begin_afresh(self) -> None:
        """Empty every table, and tell again what is needed."""
        self._empty([*_OF_PERSONS, *self._references])
        self._references.clear()
        self._tables, self._taken = None, 0
        self._held.untold_persons.update(self._held.dossiers)
        self._held.untold_counts.update(self._held.counts)

    # --- what is live ----------------------------------------------------------------------------------------------

    def bytes(self) -> int:
        """What the tables take, as ClickHouse says."""
        asked = f"SELECT sum(total_bytes) FROM system.tables WHERE database = '{self._database}' AND engine = 'Join'"
        return int(self._embedded.query(asked, "TSV"))

    def _is_crowded(self) -> bool:
        if self._taken > self._room:
            self._taken = self.bytes()  # takes 3 ms
        if self._taken > self._room:
            self._room = ROOM + 2 * self._live()
        return self._taken > self._room

    def _live(self) -> int:
        """The size, as text, of the rows that are in force: no less than what they take in tables by themselves."""
        held = self._held
        persons = sum(size for subject, size in self._persons.items() if subject in held.dossiers)
        references = sum(len(text) for table in self._references.values() for text in table.values())
        return persons + sum(self._counts.values()) + references

    def _empty(self, tables: Iterable[str]) -> None:
        self._let_go()
        for name in tables:
            self._embedded.query(f"TRUNCATE TABLE {self._database}.{name}")
        self._persons.clear()
        self._counts.clear()
        self._room = 0

    # --- what is told ----------------------------------------------------------------------------------------------

    def _tell_dossiers(self, subjects: Collection[str]) -> None:
        held = self._held
        texts = {subject: row_text(dossier_row(subject, held.dossiers[subject])) for subject in subjects}
        self._insert("dossier", list(texts.values()))
        self._persons.update((subject, len(text)) for subject, text in texts.items())
        held.untold_persons.difference_update(subjects)

    def _tell_counts(self) -> None:
        held = self._held
        texts = {key: row_text({"key": key, "seen": held.counts[key]}) for key in sorted(held.untold_counts)}
        self._insert("count", list(texts.values()))
        self._counts.update((key, len(text)) for key, text in texts.items())
        held.untold_counts.clear()

    def _tell_references(self) -> None:
        """Write the references; only rows that differ from what was told."""
        tables = self._held.tables
        if self._tables is tables:
            return
        self._tables = tables
        for name, rows in tables.items():
            told = self._references.get(name, {})
            texts = {key: row_text({**dict(zip(KEYS[name], key, strict=True)), **row}) for key, row in rows.items()}
            gone = {key: row_text(dict(zip(KEYS[name], key, strict=True))) for key in told if key not in rows}
            changed = [text for key, text in {**texts, **gone}.items() if told.get(key) != text]
            if changed:
                self._let_go()  # a lookup by a constant was made when it was analysed
            self._insert(name, changed)
            self._references[name] = {**texts, **gone}

    def _insert(self, name: str, texts: Sequence[str]) -> None:
        insert_texts(self._embedded, f"{self._database}.{name}", texts)
        if texts:
            self._taken += _AN_INSERT + sum(map(len, texts))


def insert_texts(embedded: Embedded, table: str, texts: Sequence[str]) -> None:
    """Write rows into a table that holds what others are judged against."""
    data = "\n".join(texts).encode()
    if texts and not embedded.insert_file(f"INSERT INTO {table}", "JSONEachRow", data):
        raise InzageError(f"the engine cannot read what {table} was given", code="engine")


def dossier_row(subject: str, versions: Mapping[str, Sequence[Row]]) -> dict[str, Any]:
    """The row of a person's dossier."""
    return {"subject": subject, "held": families_held(versions), **versions}


def row_text(row: Mapping[str, Any]) -> str:
    """A row as JSON, without the statements it was made from: there is no column for those."""
    return encoded(of_columns(row))


def of_columns(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row, and the rows within it, without the statements they were made from."""
    return {
        name: [of_columns(inner) if type(inner) is dict else inner for inner in value]
        if type(value) is list
        else value
        for name, value in row.items()
        if name != "fact_ids"
    }


def _instant(value: Any) -> str:
    """An instant as ClickHouse reads it; the rest JSON knows by itself."""
    if not isinstance(value, datetime):
        raise TypeError(f"the engine is told no {type(value).__name__}")
    return value.isoformat(" ", "microseconds")[:26]


encoded = json.JSONEncoder(ensure_ascii=False, check_circular=False, default=_instant).encode
"""JSON as the engine reads it."""
