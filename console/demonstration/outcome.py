"""Decides whether the demonstration held what it promises: every planted violation found, nothing else, all kept."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from inzage.console.demonstration.label import Label
from inzage.console.demonstration.tampering import Tampering
from inzage.console.demonstration.trail import Standing

Found = Mapping[str, Mapping[str, str]]
"""Result by rule, by event."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What was found against what is known. A planted event counts once; it may break several promises."""

    planted: int
    missed: tuple[Label, ...]
    near_misses: int
    false_alarms: tuple[str, ...]
    """Events in which something was found that nobody planted."""

    @property
    def right(self) -> bool:
        return not self.missed and not self.false_alarms


@dataclass(frozen=True, slots=True)
class Outcome:
    """Everything the demonstration has to say."""

    emitted: Mapping[str, int]
    imported: Mapping[str, int]
    comparison: Comparison
    promises: tuple[Mapping[str, Any], ...]
    on_imported: Mapping[str, int]
    """Verdicts on the imported AuditEvents by result."""
    standing: Standing
    seconds: Mapping[str, float]
    tampering: Tampering | None = None
    """What became of a copy that was tampered with; None before that was tried."""

    @property
    def held(self) -> bool:
        """Whether the exit code is 0."""
        proven = self.tampering is None or self.tampering.held
        return self.comparison.right and self.standing.complete and proven

    def as_json(self) -> dict[str, Any]:
        """The outcome as `--output json` prints it."""
        compared, logs = self.comparison, self.standing.logs
        return {
            "held": self.held,
            "emitted": dict(self.emitted),
            "imported": dict(self.imported),
            "planted": compared.planted,
            "planted_found": compared.planted - len(compared.missed),
            "planted_missed": [{"event_id": label.event_id, "story": label.story} for label in compared.missed],
            "near_misses": compared.near_misses,
            "false_alarms": list(compared.false_alarms),
            "by_policy": [dict(promise) for promise in self.promises],
            "on_imported": dict(self.on_imported),
            "trail": {
                "complete": self.standing.complete,
                "rows": sum(log.rows for log in logs),
                "logs": sum(log.rows > 0 for log in logs),
                "gaps": sum(log.gaps for log in logs),
                "duplicates": sum(log.duplicates for log in logs),
                "dead_letters": sum(log.dead_letters for log in logs),
                "lag": self.standing.lag,
                "unjudged": self.standing.unjudged,
                "unsealed": self.standing.unsealed,
            },
            "tampering": self.tampering.as_json() if self.tampering else None,
            "seconds": dict(self.seconds),
        }


def compare(
    labels: Iterable[Label], found: Found, left_out: Iterable[str] = (), by_clock: Container[str] = ()
) -> Comparison:
    """Hold what was found against the labels; `left_out` are events about which nothing is known.

    The month lies in the past when it is told, so every deadline of it has passed: an entry `by_clock` that fires
    where no label says so is right, and no false alarm.
    """
    planted, near_misses, missed, false_alarms = 0, 0, [], []
    timeless = {event: {rule for rule in of if rule not in by_clock} for event, of in found.items()}
    unknown = {event for event, of in timeless.items() if of} - set(left_out)
    for label in labels:
        of_event = found.get(label.event_id, {})
        unknown.discard(label.event_id)
        planted += label.planted
        near_misses += not label.planted
        if any(of_event.get(rule) != result for rule, result in label.fires.items()):
            missed.append(label)
        if timeless.get(label.event_id, set()) - set(label.fires):
            false_alarms.append(label.event_id)
    return Comparison(planted, tuple(missed), near_misses, (*false_alarms, *sorted(unknown)))
