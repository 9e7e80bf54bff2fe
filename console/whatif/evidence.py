"""Reads from the trail what a hypothesis is tried on: events in stretches, dossiers of persons, references."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any

from inzage.schemas.codec import Schema, as_written_here, datum_for_columns, decode, schema_at
from inzage.schemas.framing import header_of
from inzage.schemas.resolution import Reading
from inzage.schemas.topics import LAW_REFERENCES, ControllerTopics
from inzage.sinks.kept import schemas_of
from inzage.sinks.trail import Trail
from inzage.streams.dossier.versions import STILL_KNOWN, PersonDossier
from inzage.streams.screening.record import known_time
from inzage.streams.screening.row import Row

STRETCH = 200_000
"""Offsets of one log that are read at once: some 100 MB."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Events of one log, as rows by the schema of their datum; every fact is known to them."""

    log_id: str
    rows: Mapping[Schema, Sequence[Row]]
    persons: frozenset[str]

    @property
    def count(self) -> int:
        return sum(len(rows) for rows in self.rows.values())


@dataclass(slots=True)
class Evidence:
    """The trail of one controller between two instants. `now` in milliseconds since 1970 is what the clock reads."""

    trail: Trail
    topics: ControllerTopics
    since: datetime
    until: datetime
    now: int
    events: int = field(default=0, init=False)
    _schemas: Mapping[bytes, Schema] | None = field(default=None, init=False)

    def stretches(self, words: Sequence[bytes]) -> Iterator[Stretch]:
        """The events in which one of `words` stands, all without any."""
        for name, first, last, rows in self._select("period"):
            log_id = name.decode()
            self.events += rows
            for begin in range(first, last + 1, STRETCH):
                found = self._select(
                    "events",
                    log_id=log_id,
                    first=begin,
                    last=min(last, begin + STRETCH - 1),
                    words=[word.decode() for word in words],
                )
                if found:
                    yield Stretch(log_id, self._rows(found), frozenset(person.decode() for _, _, person, _ in found))

    def dossiers(self, stretch: Stretch) -> Iterator[PersonDossier]:
        """The dossiers of the persons in a stretch, as known now."""
        dossier: PersonDossier | None = None
        for person, offset, raw in self._select("facts", log_id=stretch.log_id, persons=sorted(stretch.persons)):
            if dossier is None or dossier.subject != person.decode():
                if dossier is not None:
                    yield dossier
                dossier = PersonDossier(person.decode())
            schema, fact = decode(raw, also=self.schemas)
            dossier.take(offset, as_written_here(raw, schema, fact), fact)
        if dossier is not None:
            yield dossier

    def references(self) -> Iterable[tuple[datetime, Mapping[str, Any]]]:
        """Every reference with the instant at which it became known."""
        for known_at, raw in self._select("references", topics=[self.topics.references, LAW_REFERENCES]):
            yield known_time(known_at), decode(raw, also=self.schemas)[1]

    @property
    def schemas(self) -> Mapping[bytes, Schema]:
        """The schemas that the trail states, read once."""
        if self._schemas is None:
            self._schemas = schemas_of(self.trail)
        return self._schemas

    def _rows(self, found: Iterable[tuple[Any, ...]]) -> dict[Schema, list[Row]]:
        by_header: dict[bytes, list[tuple[Any, ...]]] = {}
        for one in found:
            by_header.setdefault(header_of(one[3]), []).append(one)
        rows: dict[Schema, list[Row]] = {}
        for header, ones in by_header.items():
            written, size = schema_at(header, self.schemas), len(header)
            if written.reading is Reading.BY_NAME:
                rows.setdefault(written, []).extend(
                    [Row(offset, at, raw[size:], "", STILL_KNOWN, self.now) for offset, at, _, raw in ones]
                )
                continue
            for offset, at, _, raw in ones:
                schema, datum = datum_for_columns(raw, written)
                rows.setdefault(schema, []).append(Row(offset, at, datum, "", STILL_KNOWN, self.now))
        return rows

    def _select(self, query: str, **parameters: Any) -> list[tuple[Any, ...]]:
        return select(self.trail, query, topic=self.topics.events, since=self.since, until=self.until, **parameters)


def select(trail: Trail, query: str, **parameters: Any) -> list[tuple[Any, ...]]:
    """The rows of `queries/<query>.sql`, text as bytes, read-only."""
    named = {"database": trail.database, **parameters}
    found = trail.client.query(
        _text(query), parameters=named, settings={"readonly": 1}, query_formats={"String": "bytes"}
    )
    return list(found.result_rows)


@cache
def _text(query: str) -> str:
    return files("inzage.console.whatif").joinpath("queries", f"{query}.sql").read_text(encoding="utf-8")
