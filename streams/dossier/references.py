"""Keeps facts about organisations, agreements, instruments, the controller and the law, as known at an instant.

References are bitemporal: a verdict sees what was known at the broker time of its event, and of that what held at
the time the event happened. `tables(known_at)` gives the engine's tables as they were known; facts are folded in
the order in which they became known, later ones correcting or ending earlier ones of the same reference.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from inzage.streams.dossier.law import Law
from inzage.streams.dossier.reference_rows import ReferenceRows, Tables

Settings = Mapping[str, "float | list[str]"]


@dataclass(slots=True)
class References:
    """The references of one controller. `defaults` are the settings of its policy pack."""

    controller_id: str
    law: Law
    defaults: Settings
    _known: list[tuple[datetime, Mapping[str, Any]]] = field(default_factory=list)
    _made: dict[int, Tables] = field(default_factory=dict)

    def take(self, known_at: datetime, fact: Mapping[str, Any]) -> None:
        """Take in a decoded reference fact that became known at `known_at` (broker time, UTC)."""
        if fact["controller_id"].upper() in (self.controller_id.upper(), "LAW"):
            insort(self._known, (known_at, fact), key=lambda known: known[0])

    def known(self) -> list[tuple[datetime, Mapping[str, Any]]]:
        """Every fact taken in with when it became known, in that order; facts about references alone."""
        return list(self._known)

    def changes_between(self, after: datetime, until: datetime) -> list[datetime]:
        """The instants in `(after, until]` at which something became known: a batch is cut there."""
        return sorted({known_at for known_at, _ in self._known if after < known_at <= until})

    def tables(self, known_at: datetime) -> Tables:
        """The engine's tables as known at `known_at`: table -> key -> row."""
        known = [fact for instant, fact in self._known if instant <= known_at]
        if len(known) not in self._made:
            rows = ReferenceRows(self.controller_id, self.law, self.defaults)
            replaced = {fact["corrects"] for fact in known if fact["corrects"]}
            for fact in known:
                if fact["fact_id"] not in replaced:
                    rows.take(fact)
            self._made = {len(known): rows.tables()}
        return self._made[len(known)]
