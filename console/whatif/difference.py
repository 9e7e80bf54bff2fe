"""Keeps what a hypothesis changes: events by entry and recipient, the persons concerned, some events as examples.

Counts of parts of the trail are joined into those of the whole, the same whichever parts it was cut into.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

_SHOWN = ("event_id", "occurred_at", "org_key", "destination", "purpose")
SEEN = ("subject.pseudonym", *_SHOWN)
"""The columns of the view that are counted and shown."""


@dataclass(frozen=True, slots=True)
class Differing:
    """One event for which some entries differ; `seen` are columns of the view, `entries` stand in order."""

    offset: int
    entries: tuple[str, ...]
    seen: Mapping[str, Any]


@dataclass(slots=True)
class Difference:
    """What would newly be violated, or no longer. Of the events the first `limit` by log and offset are shown."""

    limit: int = 20
    events: int = 0
    persons: set[str] = field(default_factory=set)
    by_recipient: dict[tuple[str, str, str], tuple[int, set[str]]] = field(default_factory=dict)
    """(entry, recipient, destination) -> number of events and persons."""
    _shown: list[tuple[str, int, dict[str, Any]]] = field(default_factory=list)

    def take(self, log_id: str, differing: Iterable[Differing]) -> None:
        """Count events of a log, in the order of their offsets."""
        for one in differing:
            person = one.seen["subject.pseudonym"]
            self.events += 1
            self.persons.add(person)
            for entry in one.entries:
                key = entry, one.seen["org_key"] or "", one.seen["destination"] or ""
                count, persons = self.by_recipient.get(key, (0, set()))
                persons.add(person)
                self.by_recipient[key] = count + 1, persons
            if len(self._shown) < self.limit:
                shown = {"rules": list(one.entries), "subject": person, **{name: one.seen[name] for name in _SHOWN}}
                self._shown.append((log_id, one.offset, shown))

    def join(self, other: Difference) -> None:
        """Add what another part of the trail gave."""
        self.events += other.events
        self.persons |= other.persons
        for key, (more, others) in other.by_recipient.items():
            count, persons = self.by_recipient.get(key, (0, set()))
            self.by_recipient[key] = count + more, persons | others
        self._shown = sorted([*self._shown, *other._shown], key=lambda shown: shown[:2])[: self.limit]

    def as_json(self) -> dict[str, Any]:
        """Counts, then recipients by number of events, then examples."""
        ordered = sorted(self.by_recipient.items(), key=lambda pair: (-pair[1][0], pair[0]))
        recipients = [
            {"rule_id": entry, "recipient": org, "destination": destination, "events": count, "persons": len(persons)}
            for (entry, org, destination), (count, persons) in ordered
        ]
        recipient_names = {org for _, org, _ in self.by_recipient if org}
        return {
            "events": self.events,
            "persons": len(self.persons),
            "recipients": len(recipient_names),
            "by_recipient": recipients,
            "examples": [shown for _, _, shown in self._shown],
        }


@dataclass(slots=True)
class Comparison:
    """What a hypothesis changes. `judged` counts the events that were judged."""

    judged: int
    violated: Difference
    lawful: Difference

    @classmethod
    def empty(cls, limit: int) -> Comparison:
        """Nothing yet; `limit` events are shown of each kind."""
        return cls(0, Difference(limit), Difference(limit))

    def join(self, other: Comparison) -> None:
        """Add what another part of the trail gave."""
        self.judged += other.judged
        self.violated.join(other.violated)
        self.lawful.join(other.lawful)
