"""Keeps when each row of a dossier became known, so that an event sees only what was said before it.

A row is known from the offset of the fact that made it until the offset of the fact that changed it. Verdicts
therefore do not depend on where a batch was cut, and a replay gives the same ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from inzage.schemas.errors import ContractError
from inzage.streams.dossier.kinds import FAMILIES
from inzage.streams.dossier.person import contradiction, rows_of
from inzage.streams.dossier.rows import Row

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

    def known_at(self, family: str, offset: int, *, itself: bool = False) -> list[Row]:
        """The rows of `family` that a record at `offset` sees; with `itself` what it says too."""
        begin, end = offset + itself, offset - (not itself)
        return [row for row in self.versions[family] if row["known_from"] < begin and end < row["known_to"]]


def _content(version: Row) -> Row:
    return {name: value for name, value in version.items() if name not in ("known_from", "known_to")}
