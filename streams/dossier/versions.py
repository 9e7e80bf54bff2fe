"""Keeps when each row of a dossier became known, so that an event sees only what was said before it.

A row is known from the offset of the fact that made it until the offset of the fact that changed it. Verdicts
therefore do not depend on where a batch was cut, and a replay gives the same ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from inzage.schemas.errors import ContractError
from inzage.streams.dossier.kinds import FAMILIES
from inzage.streams.dossier.person import contradiction, rows_of
from inzage.streams.dossier.rows import Row
from inzage.streams.dossier.time import FAR, LONG_AGO

STILL_KNOWN = (1 << 63) - 1


@dataclass(slots=True)
class PersonDossier:
    """Everything said about one person. `said` holds (offset, message bytes, decoded fact), oldest first."""

    subject: str
    source_offset: int = -1
    said: list[tuple[int, bytes, Mapping[str, Any]]] = field(default_factory=list)
    versions: dict[str, list[Row]] = field(default_factory=lambda: {family: [] for family in FAMILIES})

    def take(self, offset: int, message: bytes, fact: Mapping[str, Any]) -> bool:
        """Take in a fact; one at or below `source_offset` is in already. Says whether anything was new.

        Raises `ContractError` for a fact that contradicts what was said: its id stands for other content, or
        something would end before it began. Nothing is taken in then.
        """
        if offset <= self.source_offset:
            return False
        for _, known, earlier in self.said:
            if earlier["fact_id"] == fact["fact_id"]:
                if known != message:
                    raise ContractError("the fact id was used for other content", code="contract.fact-id-reused")
                return False
        self._refuse_contradiction(fact)
        self.source_offset = offset
        self.said.append((offset, message, fact))
        rows = rows_of(fact for _, _, fact in self.said)
        for family in FAMILIES:
            if rows[family] or self.versions[family]:
                self._version(family, rows[family], offset)
        return True

    def _refuse_contradiction(self, fact: Mapping[str, Any]) -> None:
        known = {
            (family, row["ref"]): row
            for family in FAMILIES
            for row in self.versions[family]
            if row["known_to"] == STILL_KNOWN and "ref" in row
        }
        what = contradiction(fact, known)
        if what is not None:
            raise ContractError(what, code="contract.fact-contradicts")

    def _version(self, family: str, rows: list[Row], offset: int) -> None:
        current = [version for version in self.versions[family] if version["known_to"] == STILL_KNOWN]
        for version in current:
            if _content(version) not in rows:
                version["known_to"] = offset
        known = [_content(version) for version in current]
        for row in rows:
            if row not in known:
                self.versions[family].append({**row, "known_from": offset, "known_to": STILL_KNOWN})

    def known_before(self, family: str, horizon: int) -> list[Row]:
        """The rows of `family` as the facts below the offset `horizon` say."""
        return [row for row in self.versions[family] if row["known_from"] < horizon <= row["known_to"]]

    def reaches_back_to(self, offset: int) -> datetime | None:
        """The first instant at which the fact at `offset` changed what is true; None when it changed nothing."""
        instants = []
        for versions in self.versions.values():
            old = [_content(row) for row in versions if row["known_to"] == offset]
            new = [_content(row) for row in versions if row["known_from"] == offset]
            instants += [_first_difference(row, old) for row in new]
            instants += [_begin(row) for row in old if all(_key(row) != _key(other) for other in new)]
        return min(instants, default=None)


def _first_difference(row: Row, before: Iterable[Row]) -> datetime:
    """From when on `row` says something else than the row of the same key among `before`."""
    earlier = next((other for other in before if _key(other) == _key(row)), None)
    if earlier is None:
        return _begin(row)
    changed = {name for name in row if name != "fact_ids" and row[name] != earlier.get(name)}
    instants = [value for name in changed for value in (row[name], earlier.get(name)) if isinstance(value, datetime)]
    if any(not isinstance(row[name], datetime) for name in changed):
        instants.append(min(_begin(row), _begin(earlier)))
    return min(instants, default=FAR)


def _begin(row: Row) -> datetime:
    """The first instant a row speaks of; the earliest there is when it names none."""
    return min((value for value in row.values() if isinstance(value, datetime)), default=LONG_AGO)


def _key(row: Row) -> Any:
    return row.get("ref") or row.get("employer_id") or row["fact_ids"][:1]


def _content(version: Row) -> Row:
    return {name: value for name, value in version.items() if name not in ("known_from", "known_to")}
