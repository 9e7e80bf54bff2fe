"""Keeps handles of the engine that answered a SELECT, for the next one that is asked on the same terms.

To open a handle and to tell it its role, its database and its settings takes longer than many a statement. A SELECT
leaves a handle as it was: the settings and parameters it brings hold for it alone. Handles are few and live shortly;
those that failed a statement or ran any other do not come here, and none outlives the rights the engine is open with.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from inzage.sinks.roles import Role

MOST = 16
"""Handles that wait at one time."""

LIVES = 300.0
"""Seconds from when a handle was set up, after which it answers nothing any more."""


@dataclass(frozen=True, slots=True)
class Terms:
    """Who asks, and under which settings: all that a handle is told before its first statement."""

    role: Role | None
    database: str | None
    settings: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, role: Role | None, database: str | None, settings: Mapping[str, str]) -> Terms:
        return cls(role, database, tuple(settings.items()))


@dataclass(frozen=True, slots=True, eq=False)
class Handle:
    """A connection to the engine that was told its terms at `since`, in seconds of the clock."""

    engine: Any
    terms: Terms
    since: float


class ReadyHandles:
    """Handles that wait. May be used by several threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._waiting: list[Handle] = []
        self._valid_from = clock()

    def now(self) -> float:
        """Seconds of the clock, for `Handle.since`; to be asked before the handle is opened."""
        return self._clock()

    def take(self, terms: Terms) -> Handle | None:
        """A handle on exactly these terms, which is the caller's from now on; None when none waits."""
        with self._lock:
            self._close_old()
            found = next((one for one in reversed(self._waiting) if one.terms == terms), None)
            if found:
                self._waiting.remove(found)
            return found

    def put(self, handle: Handle) -> None:
        """Let a handle wait that answered a SELECT, or close it."""
        with self._lock:
            self._waiting.append(handle)
            self._close_old()

    def drop(self) -> None:
        """Close all that wait; what is in use meanwhile will not wait again."""
        with self._lock:
            self._valid_from = self._clock()
            self._close_old()

    def _close_old(self) -> None:
        """Close those that lived long enough or were set up before the last drop, and the oldest of too many."""
        now = self._clock()
        kept = [one for one in self._waiting if self._valid_from < one.since and now - one.since < LIVES][-MOST:]
        for one in self._waiting:
            if one not in kept:
                one.engine.close()
        self._waiting = kept
