"""Reads from the trail what a hypothesis is tried on: events in shares, dossiers of persons, references.

Where all events are judged they come as columns, those that the engine needs and no others, in the format in which
it takes them: nothing in between looks at a row. What a column says the engine would decode of the event's bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any, cast

from inzage.schemas.codec import Schema, as_written_here, datum_for_columns, decode, schema_at
from inzage.schemas.errors import ContractError
from inzage.schemas.resolution import Reading
from inzage.schemas.topics import LAW_REFERENCES, ControllerTopics
from inzage.sinks.kept import schemas_of
from inzage.sinks.trail import Trail
from inzage.streams.dossier.kinds import kinds_of
from inzage.streams.dossier.rows import Row as DossierRow
from inzage.streams.dossier.versions import STILL_KNOWN, PersonDossier
from inzage.streams.screening.column import KEYS, Column
from inzage.streams.screening.event_fields import leaves
from inzage.streams.screening.record import known_time
from inzage.streams.screening.row import Row

AT_ONCE = 100_000
"""Events that are read and judged at once: some 60 MB where a whole pack is judged."""
STRETCH = 8_192
"""Offsets whose events are counted together, to cut a share into pages: as many as ClickHouse has in a granule."""
MOST_WORDS = 1_020
"""Words that events are searched for; where there are more, all events are judged."""
PERSONS_HELD = 200_000
"""Persons of whom one process holds a dossier at a time: some 500 MB."""
PERSONS_READ = 20_000
"""Persons whose facts are read at once."""


@dataclass(frozen=True, slots=True)
class Extent:
    """The events of one log within the period: between which offsets, and how many."""

    log_id: str
    first: int
    last: int
    rows: int


@dataclass(frozen=True, slots=True)
class Share:
    """What one process judges in one go: events of a log, of the persons in one bucket of `buckets`.

    A person is in one bucket, so whoever judges a share needs the dossiers of no other.
    """

    log_id: str
    first: int
    last: int
    bucket: int = 0
    buckets: int = 1


@dataclass(frozen=True, slots=True)
class Scope:
    """Which events are asked about: those of a controller between two instants in which one of `words` stands.

    Without words it is all of them. `now`, in milliseconds since 1970, is what the clock reads.
    """

    topics: ControllerTopics
    since: datetime
    until: datetime
    now: int
    words: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """So many events: those of a share, as long as they are not read, else `rows` by the schema of their datum.

    Every fact is known to them.
    """

    share: Share
    count: int
    rows: Mapping[Schema, Sequence[Row]] | None = None


@dataclass(slots=True)
class Evidence:
    """The trail of one controller, as far as a hypothesis is tried on it."""

    trail: Trail
    scope: Scope
    _schemas: Mapping[bytes, Schema] | None = field(default=None, init=False)

    def extents(self) -> list[Extent]:
        """Where the events of the period are, log by log."""
        return [Extent(log_id.decode(), *rest) for log_id, *rest in self._select("period")]

    def persons(self, families: frozenset[str]) -> dict[str, int]:
        """Of how many persons of each log a dossier may have something in one of `families`."""
        found = self._select("persons", kinds=sorted(kinds_of(families)))
        return {log_id.decode(): persons for log_id, persons in found}

    def pages(self, share: Share) -> Iterator[Page]:
        """The events of a share, in the order of their offsets, some `AT_ONCE` a page.

        Where few among many are concerned, columns would be read of all of them: those few are read with their bytes.
        """
        return self._of_words(share) if self.scope.words else self._of_all(share)

    def block(self, page: Page, given: Iterable[Column]) -> bytes:
        """The events of a page as columns of the engine, in Native format and no order."""
        columns = ", ".join(f"{_said(column.name)} AS `{column.name}`" for column in given)
        found = self.trail.client.raw_query(
            _text("columns").replace("/* columns */", columns),
            parameters={
                "database": self.trail.database,
                **self._asked(self._within(page.share)),
                **{"now": self.scope.now, "horizon": STILL_KNOWN},
            },
            settings={**_ONE_BLOCK, "readonly": 1},
            fmt="Native",
        )
        return cast("bytes", found)

    def rows(self, page: Page) -> Mapping[Schema, Sequence[Row]]:
        """The events of a page as rows by the schema of their datum."""
        return self._read(page.share, page.count) if page.rows is None else page.rows

    def _of_all(self, share: Share) -> Iterator[Page]:
        count, first, last = 0, share.first, share.first - 1
        for number, more in self._of_share("counts", share, stretch=STRETCH):
            if count and count + more > AT_ONCE:
                yield Page(replace(share, first=first, last=last), count)
                count, first = 0, last + 1
            count, last = count + more, min(share.last, (number + 1) * STRETCH - 1)
        if count:
            yield Page(replace(share, first=first, last=last), count)

    def _of_words(self, share: Share) -> Iterator[Page]:
        found = AT_ONCE
        while found == AT_ONCE:
            rows = self._read(share, AT_ONCE)
            found = sum(map(len, rows.values()))
            if found:
                yield Page(share, found, rows)
                share = replace(share, first=max(some[-1].offset for some in rows.values()) + 1)

    def _read(self, share: Share, most: int) -> dict[Schema, list[Row]]:
        rows: dict[Schema, list[Row]] = {}
        for offset, at, header, datum in self._of_share("events", share, most=most):
            written = schema_at(header, self.schemas)
            if written.reading is not Reading.BY_NAME:
                written, datum = datum_for_columns(header + datum, written)
            rows.setdefault(written, []).append(Row(offset, at, datum, "", STILL_KNOWN, self.scope.now))
        return rows

    def dossiers(self, share: Share, families: frozenset[str], persons: int) -> Iterator[list[PersonDossier]]:
        """The dossiers of the persons in a share that may have something in one of `families`, known now, in parts.

        In them other families are empty, and what is no longer known is missing. There are about `persons`.
        """
        # To find whom words concern is to read all that was said, which is not done again for each part.
        parts = 1 if self.scope.words else max(1, -(-persons // PERSONS_READ))
        kinds = sorted(kinds_of(families))
        for part in range(parts):
            some = replace(share, bucket=share.bucket + part * share.buckets, buckets=share.buckets * parts)
            yield list(self._dossiers(self._of_share("facts", some, kinds=kinds), families))

    def _dossiers(self, said: Iterable[tuple[Any, ...]], families: frozenset[str]) -> Iterator[PersonDossier]:
        dossier: PersonDossier | None = None
        subject = b""
        for person, offset, raw in said:
            if dossier is None or person != subject:
                if dossier is not None:
                    yield _known_now(dossier, families)
                dossier, subject = PersonDossier(person.decode()), person
            schema, fact = decode(raw, also=self.schemas)
            with suppress(ContractError):  # contradicts what was said before: nobody's dossier took it in
                dossier.take(offset, as_written_here(raw, schema, fact), fact)
        if dossier is not None:
            yield _known_now(dossier, families)

    def references(self) -> Iterable[tuple[datetime, Mapping[str, Any]]]:
        """Every reference with the instant at which it became known."""
        for known_at, raw in self._select("references", topics=[self.scope.topics.references, LAW_REFERENCES]):
            yield known_time(known_at), decode(raw, also=self.schemas)[1]

    @property
    def schemas(self) -> Mapping[bytes, Schema]:
        """The schemas that the trail states, read once."""
        if self._schemas is None:
            self._schemas = schemas_of(self.trail)
        return self._schemas

    def _select(self, query: str, **parameters: Any) -> list[tuple[Any, ...]]:
        return select(self.trail, query, **self._asked(parameters))

    def _of_share(self, query: str, share: Share, **parameters: Any) -> list[tuple[Any, ...]]:
        return self._select(query, **self._within(share), **parameters)

    def _within(self, share: Share) -> dict[str, Any]:
        words = [word.hex() for word in self.scope.words] if len(self.scope.words) <= MOST_WORDS else []
        extent = {"log_id": share.log_id, "first": share.first, "last": share.last}
        return {**extent, "bucket": share.bucket, "buckets": share.buckets, "words": words}

    def _asked(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        scope = self.scope
        return {"topic": scope.topics.events, "since": scope.since, "until": scope.until, **parameters}


def select(trail: Trail, query: str, **parameters: Any) -> list[tuple[Any, ...]]:
    """The rows of `queries/<query>.sql`, text as bytes, read-only."""
    found = trail.client.query(
        _text(query),
        parameters={"database": trail.database, **parameters},
        settings={"readonly": 1},
        query_formats={"String": "bytes"},
    )
    return list(found.result_rows)


_ONE_BLOCK = {"max_threads": 1, "max_block_size": 2 * AT_ONCE, "preferred_block_size_bytes": 0}
"""What is read comes whole, as far as ClickHouse has it in one part: for each block everything is evaluated anew."""

_OF_ROW = {
    "_offset": "toInt64(offset)",
    "_time": "broker_time",
    "_horizon": "{horizon:Int64}",
    "_now": "fromUnixTimestamp64Milli({now:Int64}, 'UTC')",
    "_fact": "''",
}
"""What the engine is given about a row beside what was said."""


@cache
def _fields() -> Mapping[str, str]:
    """The event's fields as the trail calls them, by the engine's name of the column."""
    return {leaf.path: leaf.name for leaf in leaves().values()}


def _said(column: str) -> str:
    """What the trail has of a column of the engine; a family of the dossier may be looked up for anybody."""
    if column in KEYS:
        return _said("subject.pseudonym")
    return _OF_ROW.get(column) or ".".join(f"`{part}`" for part in _fields()[column].split("."))


class _Families(dict[str, list[DossierRow]]):
    """Rows by family; one that is not there is empty."""

    def __missing__(self, family: str) -> list[DossierRow]:
        return []


def _known_now(dossier: PersonDossier, families: frozenset[str]) -> PersonDossier:
    kept = {
        family: [row for row in dossier.versions[family] if row["known_to"] == STILL_KNOWN] for family in families
    }
    return PersonDossier(dossier.subject, dossier.source_offset, versions=_Families(kept))


@cache
def _text(query: str) -> str:
    return files("inzage.console.whatif").joinpath("queries", f"{query}.sql").read_text(encoding="utf-8")
