"""Makes again, from what a log said, the dossiers as the screening had them, and the causes that the facts are."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from inzage.console.revising.log_records import Found
from inzage.schemas.codec import Schema, as_written_here, current, datum_for_columns, decode, split
from inzage.schemas.errors import ContractError
from inzage.streams.dossier.remembered import remembered
from inzage.streams.dossier.store import DossierStore
from inzage.streams.screening.record import SaidRecord
from inzage.streams.screening.revision import Cause, Said, person_causes
from inzage.streams.screening.row import Row
from inzage.streams.screening.rows import row_of_fact


@dataclass(slots=True)
class Persons:
    """Dossiers of some persons of one log, made from its records in order of offset."""

    schemas: Mapping[bytes, Schema]
    store: DossierStore = field(default_factory=DossierStore)
    judged: list[Said] = field(default_factory=list)
    """The facts among them that are judged themselves."""
    _known_at: dict[int, int] = field(default_factory=dict)
    _arrivals: dict[str, list[tuple[int, int]]] = field(default_factory=dict)

    def take(self, records: Iterable[Found], judged_kinds: frozenset[str]) -> None:
        """Take in facts, and activities that amount to one; what the screening would not take is left out."""
        for found in records:
            try:
                schema, record = decode(found.message, also=self.schemas)
                fact = remembered(record) if schema.name == "activity" else record
                if fact is None:
                    continue
                message = as_written_here(found.message, schema, record)
                self.store.open(found.subject).take(found.offset, message, fact)
            except ContractError:
                continue
            self._known_at[found.offset] = found.known_at
            self._arrivals.setdefault(found.subject, []).append((found.known_at, found.offset))
            if schema.name == "fact" and fact["body"][0].rpartition(".")[2] in judged_kinds:
                self.judged.append(said_fact(found, self.schemas))

    def causes(self) -> Iterator[Cause]:
        """A cause for each fact that changed something."""
        for dossier in self.store.opened():
            yield from person_causes(dossier, self._known_at)

    def horizon_at(self, subject: str, at: int) -> int:
        """One past the last fact about a person that was known at a time, milliseconds since 1970; 0 for none."""
        arrivals = self._arrivals.get(subject, [])
        known = bisect_right(arrivals, (at, 1 << 62))
        return max((offset for _, offset in arrivals[:known]), default=-1) + 1


def said_event(found: Found, schemas: Mapping[bytes, Schema]) -> Said:
    """An event as it was judged at first; raises `ContractError` when it cannot be read."""
    schema, datum = datum_for_columns(found.message, split(found.message, also=schemas))
    place, at = found.offset, found.known_at
    return Said(schema, Row(place, at, datum, "", place, at), found.subject, found.dated)


def said_fact(found: Found, schemas: Mapping[bytes, Schema]) -> Said:
    """A fact as it was judged at first; raises `ContractError` when it cannot be read."""
    _, fact = decode(found.message, also=schemas)
    row = row_of_fact(SaidRecord(found.offset, found.known_at, found.subject.encode(), found.message), fact)
    return Said(current("activity"), row, found.subject, found.dated)
