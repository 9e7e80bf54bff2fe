"""Keeps which numbers of one source arrived, and decides which of them are missing.

A number is known to be given out once a later one arrived or a heartbeat repeats it; from then on it is waited for,
and what did not arrive when that moment is settled is a gap. Numbers come in any order and more than once: those of
one source lie on all partitions of a topic. What is kept is bounded: one byte for each number between the first
that is missing and the last that arrived, at most `WINDOW`, and ranges of gaps, at most `MOST_GAPS`.
"""

from __future__ import annotations

import base64
import re
import zlib
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

WINDOW = 1 << 23
"""How far a number may be ahead of the first that is missing; one further ahead makes that a gap at once."""

MOST_GAPS = 10_000
"""Gaps remembered for each source, so that a late number closes its own; beyond it the oldest are forgotten."""

MOST_AT_ONCE = 100
"""Gaps told one by one when many are found together; the last stands for the rest as well."""

_MOST_MARKS = 4096
_SECOND = 1000  # milliseconds
_NOT_SEEN = re.compile(rb"\x00+")


class Run(NamedTuple):
    """Numbers from `first` to `last`, both included; `missing` are concerned, fewer than that for several gaps.

    `since` in milliseconds since 1970, to the second.
    """

    first: int
    last: int
    missing: int
    since: int


class Numbers:
    """The numbers of one source. With `begin` None the lowest of the first ones is the first that was given out."""

    __slots__ = ("_begin", "_begun", "_due", "_flags", "_gaps", "_high", "_marks", "_next")

    def __init__(self, begin: int | None) -> None:
        self._begin = self._next = begin if begin is not None else 0
        self._begun = begin is not None
        """Whether it is certain which number is the first."""
        self._high = self._next - 1
        """The highest number known to be given out."""
        self._flags = bytearray()
        """1 for each number from `_next` on that arrived; `_next` itself did not."""
        self._marks: list[tuple[int, int]] = []
        """When the highest number became which, in order."""
        self._gaps: list[tuple[int, int]] = []
        """What is missing for good below `_next`, in order."""
        self._due: list[Run] = []
        """Gaps found but not told yet."""

    @property
    def waits(self) -> bool:
        """Whether something may still turn out to be missing."""
        return bool(self._marks or self._due)

    @property
    def high(self) -> int:
        """The highest number known to be given out, one below the first for none."""
        return self._high

    def see(self, numbers: Sequence[int], at: int) -> list[Run]:
        """Take in numbers that arrived up to `at`, one or more; returns those that closed a gap."""
        low, high = min(numbers), max(numbers)
        if not self._begun and self._high < self._next and not self._marks:
            self._begin = self._next = low
            self._high = low - 1
        closed: list[Run] = []
        if low < self._next:
            closed = self._take_late(sorted({number for number in numbers if number < self._next}), at)
            numbers = [number for number in numbers if number >= self._next]
        if high - self._next >= WINDOW:
            self._leap(sorted(numbers), at)
        elif numbers:
            self._flag(numbers, high)
        self._mark(high, at)
        return closed

    def hear(self, last: int, at: int) -> None:
        """Take in what a heartbeat said at `at`: the last number that was given out."""
        if not self._begun and self._high < self._next and not self._marks:
            self._begin = self._next = last + 1
            self._high = last
        if last - self._next >= WINDOW:
            self._settle_up_to(last - WINDOW // 2, at)
        self._mark(last, at)

    def settle(self, until: int) -> list[Run]:
        """Give up on what was known to be given out at `until`; returns what is newly missing, in order."""
        settled = bisect_right(self._marks, until, key=lambda mark: mark[0])
        if settled:
            self._settle_up_to(self._marks[settled - 1][1], until)
            del self._marks[:settled]
            self._begun = True
        due, self._due = self._due, []
        return due

    def _flag(self, numbers: Iterable[int], high: int) -> None:
        flags, base = self._flags, self._next
        if high - base >= len(flags):
            flags += bytes(high - base + 1 - len(flags))
        for number in numbers:
            flags[number - base] = 1
        self._advance()

    def _advance(self) -> None:
        arrived = self._flags.find(0)
        arrived = len(self._flags) if arrived < 0 else arrived
        del self._flags[:arrived]
        self._next += arrived

    def _mark(self, high: int, at: int) -> None:
        if high <= self._high:
            return
        self._high = high
        second = -(-at // _SECOND) * _SECOND
        if self._marks and self._marks[-1][0] >= second:
            self._marks[-1] = (self._marks[-1][0], high)
        else:
            self._marks.append((second, high))
        if len(self._marks) > _MOST_MARKS:
            del self._marks[-2::-2]  # the later of two neighbours stays: nothing is given up on too early

    def _settle_up_to(self, settled: int, at: int) -> None:
        """Make gaps of what did not arrive up to `settled`, that included."""
        count = settled - self._next + 1
        if count <= 0:
            return
        base, there = self._next, bytes(self._flags[:count])
        missing = there.count(0) + count - len(there)
        runs = [(base + run.start(), base + run.end() - 1) for run in islice(_NOT_SEEN.finditer(there), MOST_GAPS)]
        if count > len(there):
            first = base + len(there)
            if runs and runs[-1][1] == first - 1:
                first = runs.pop()[0]
            runs.append((first, settled))
        due = [Run(first, last, last - first + 1, self._known_since(last, at)) for first, last in runs[:MOST_AT_ONCE]]
        if len(runs) > MOST_AT_ONCE:
            rest = missing - sum(run.missing for run in due[:-1])
            last = settled if count > len(there) else base + there.rfind(0)
            due[-1] = due[-1]._replace(last=last, missing=rest)
        self._due += due
        self._gaps += runs
        del self._gaps[:-MOST_GAPS]
        del self._flags[:count]
        self._next = settled + 1
        self._advance()

    def _known_since(self, number: int, at: int) -> int:
        place = bisect_left(self._marks, number, key=lambda mark: mark[1])
        return self._marks[place][0] if place < len(self._marks) else at

    def _leap(self, numbers: Iterable[int], at: int) -> None:
        """Take in numbers, in order, of which one is too far ahead to wait for all before it."""
        for number in numbers:
            if number - self._next >= WINDOW:
                self._settle_up_to(number - WINDOW // 2, at)
                self._begun = True
            if number >= self._next:
                self._flag((number,), number)

    def _take_late(self, numbers: Sequence[int], at: int) -> list[Run]:
        """Take numbers, in order, below the first that is waited for: some close a gap, most are repetitions."""
        closed: list[Run] = []
        for number in numbers:
            if number < self._begin:
                if not self._begun and self._next - number < WINDOW:
                    self._begin_earlier(number)
                continue
            place = bisect_right(self._gaps, number, key=lambda gap: gap[0]) - 1
            if place < 0 or number > self._gaps[place][1]:
                continue
            first, last = self._gaps[place]
            rest = [(first, number - 1), (number + 1, last)]
            self._gaps[place : place + 1] = [gap for gap in rest if gap[0] <= gap[1]]
            if closed and closed[-1].last == number - 1:
                closed[-1] = closed[-1]._replace(last=number, missing=closed[-1].missing + 1)
            else:
                closed.append(Run(number, number, 1, at))
        return closed

    def _begin_earlier(self, number: int) -> None:
        arrived = b"\x01" * (self._next - self._begin)
        self._flags[:0] = b"\x01" + bytes(self._begin - number - 1) + arrived
        self._begin = self._next = number
        self._advance()

    def state(self) -> dict[str, Any]:
        """What `restored` takes, as JSON."""
        return {
            "begin": self._begin,
            "begun": self._begun,
            "next": self._next,
            "high": self._high,
            "flags": base64.b64encode(zlib.compress(bytes(self._flags), 1)).decode() if self._flags else "",
            "marks": self._marks[:],
            "gaps": self._gaps[:],
            "due": self._due[:],
        }

    @classmethod
    def restored(cls, state: Mapping[str, Any]) -> Numbers:
        """The numbers that `state` was taken of."""
        numbers = cls(None)
        numbers._begin, numbers._begun = state["begin"], state["begun"]
        numbers._next, numbers._high = state["next"], state["high"]
        numbers._flags = (
            bytearray(zlib.decompress(base64.b64decode(state["flags"]))) if state["flags"] else bytearray()
        )
        numbers._marks = [(at, high) for at, high in state["marks"]]
        numbers._gaps = [(first, last) for first, last in state["gaps"]]
        numbers._due = [Run(*run) for run in state["due"]]
        return numbers
