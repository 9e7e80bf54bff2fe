"""Decides what is missing on one topic: numbers that did not arrive in time, and sources that fell silent.

Time here is the broker's, in milliseconds since 1970, and `due` is told up to when the whole topic was read: a
partition that was not read yet may hold what seems to be missing. Nothing here reads a clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from inzage.schemas.emitter.sequence import begins_at_one
from inzage.sinks.completeness.numbers import Numbers, Run

GRACE = 60.0
"""Seconds that a number may arrive after it is known to be given out."""
SILENCE = 15 * 60.0
"""Seconds without a word before a source counts as silent, and never fewer than three of its own heartbeats."""
SILENT_PERIODS = 3
FORGET_AFTER = 90 * 86_400.0
"""Seconds after the last word of a source that ended, or was said to be silent, until it is no longer known."""


class Kind(StrEnum):
    """What is found."""

    GAP = "GAP"
    SILENT = "SILENT"
    CLOSED = "CLOSED"


@dataclass(frozen=True, slots=True)
class Finding:
    """What is missing, or no longer. `first` and `last` None where it is about silence; times in milliseconds."""

    kind: Kind
    source_system: str
    source_instance: str
    first: int | None
    last: int | None
    missing: int
    since: int
    detected_at: int
    last_seen: int


@dataclass(slots=True)
class _Source:
    system: str
    instance: str
    numbers: Numbers
    last_word: int = 0
    heard_at: int = 0
    """What the newest heartbeat says of when it was said, in microseconds; 0 for none."""
    period: int = 0
    ended: int | None = None
    """The last number of a source that said that it ends."""
    silent_since: int | None = None

    @property
    def rests(self) -> bool:
        """Whether only a word of its own can change anything."""
        return not self.numbers.waits and (self.ended is not None or self.silent_since is not None)

    def finding(self, kind: Kind, run: Run | None, since: int, now: int) -> Finding:
        first, last, missing = (run.first, run.last, run.missing) if run else (None, None, 0)
        return Finding(kind, self.system, self.instance, first, last, missing, since, now, self.last_word)


class Tracker:
    """The sources of one topic. `whole` false: the topic does not begin with the first things that were said.

    `grace` and `silence` in seconds.
    """

    def __init__(self, topic: str, *, grace: float = GRACE, silence: float = SILENCE, whole: bool = True) -> None:
        self._topic = topic
        self._grace = round(grace * 1000)
        self._silence = round(silence * 1000)
        self._whole = whole
        self._awake: dict[str, _Source] = {}
        self._resting: dict[str, _Source] = {}
        self._changed: set[str] = set()
        self._swept_at = 0

    def see(self, source_system: str, source_instance: str, numbers: Sequence[int], at: int) -> list[Finding]:
        """Take in numbers of one source that arrived up to `at`, one or more; returns the gaps they closed."""
        source = self._source(source_system, source_instance)
        closed = source.numbers.see(numbers, at)
        if source.ended is not None and source.numbers.high > source.ended:
            source.ended = None  # it keeps its numbers and goes on
        return [*self._word(source, at), *(source.finding(Kind.CLOSED, run, run.since, at) for run in closed)]

    def hear(self, beat: Mapping[str, Any], at: int) -> list[Finding]:
        """Take in a heartbeat, a record of the contract, that arrived at `at`."""
        source = self._source(beat["source_system"], beat["source_instance"])
        source.system = beat["source_system"]
        last, said_at = beat["last_sequence"], int(beat["at"].timestamp() * 1_000_000)
        source.numbers.hear(last, at)
        if said_at >= source.heard_at:
            source.heard_at, source.period = said_at, beat["period"]
            source.ended = last if beat["ended"] and last >= source.numbers.high else None
        return self._word(source, at)

    def due(self, now: int) -> list[Finding]:
        """What is found missing, and who is silent, when the whole topic was read up to `now`."""
        found: list[Finding] = []
        until = now - self._grace
        for key, source in list(self._awake.items()):
            if source.numbers.waits:
                for run in source.numbers.settle(until):
                    found.append(source.finding(Kind.GAP, run, run.since, now))
                self._changed.add(key)
            if self._is_silent(source, now):
                source.silent_since = source.last_word
                found.append(source.finding(Kind.SILENT, None, source.last_word, now))
                self._changed.add(key)
            if source.rests:
                self._resting[key] = self._awake.pop(key)
        self._forget(now)
        return found

    def _source(self, system: str, instance: str) -> _Source:
        """Emitters name an instance for the topic, whichever systems it speaks for; others number each system."""
        from_one = begins_at_one(instance, self._topic)
        key = instance if from_one else f"{system}/{instance}"
        self._changed.add(key)
        source = self._awake.get(key)
        if source is None:
            source = self._resting.pop(key, None) or _Source(
                system, instance, Numbers(1 if from_one and self._whole else None)
            )
            self._awake[key] = source
        return source

    def _word(self, source: _Source, at: int) -> list[Finding]:
        source.last_word = max(source.last_word, at)
        if source.silent_since is None:
            return []
        since, source.silent_since = source.silent_since, None
        return [source.finding(Kind.CLOSED, None, since, at)]

    def _is_silent(self, source: _Source, now: int) -> bool:
        """Who numbers itself and never said when it speaks again may be silent as long as it likes."""
        if source.ended is not None or source.silent_since is not None:
            return False
        expected = source.period > 0 or begins_at_one(source.instance, self._topic)
        return expected and now - source.last_word > max(self._silence, SILENT_PERIODS * source.period * 1000)

    def _forget(self, now: int) -> None:
        old = now - round(FORGET_AFTER * 1000)
        if now - self._swept_at < 3_600_000 or old <= 0:
            return
        self._swept_at = now
        for key in [key for key, source in self._resting.items() if source.last_word < old]:
            del self._resting[key]
            self._changed.add(key)

    def state(self) -> dict[str, Any]:
        """Every source as JSON, by key; `restore` takes it."""
        self._changed.clear()
        return dict(self._states([*self._awake, *self._resting]))

    def changed(self) -> dict[str, Any]:
        """The sources that changed since the last call of this or of `state`; None for one that is forgotten."""
        changed, self._changed = self._changed, set()
        return dict(self._states(changed))

    def restore(self, state: Mapping[str, Any]) -> None:
        """Begin with the sources of `state`."""
        for key, kept in state.items():
            source = _Source(**{**kept, "numbers": Numbers.restored(kept["numbers"])})
            (self._resting if source.rests else self._awake)[key] = source

    def _states(self, keys: Iterable[str]) -> Iterator[tuple[str, dict[str, Any] | None]]:
        for key in keys:
            source = self._awake.get(key) or self._resting.get(key)
            if source is None:
                yield key, None
                continue
            kept = {name: getattr(source, name) for name in _Source.__dataclass_fields__}
            yield key, {**kept, "numbers": source.numbers.state()}
