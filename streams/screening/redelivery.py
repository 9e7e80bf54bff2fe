"""Tells a redelivered event from a new one: the same id and bytes among the last so many offsets of a partition.

The window is counted in offsets, so a replay decides as the first run did; a worker that takes over a partition
reads it back from the log. The id is the first field of an activity, so no datum is decoded for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from inzage.schemas.errors import ContractError

WINDOW = 50_000
"""An event is recognised at least so many offsets later, at most twice as many."""


@dataclass(slots=True)
class Redeliveries:
    """The ids of the events in this stretch of `window` offsets and the one before, each with a hash of its bytes.

    Stretches begin at multiples of the window, so what is recognised depends on offsets alone, and reading some of
    them again changes nothing.
    """

    window: int = WINDOW
    _stretch: int = -1
    _now: dict[bytes, tuple[int, int]] = field(default_factory=dict)
    _before: dict[bytes, tuple[int, int]] = field(default_factory=dict)
    _stretches: dict[int, dict[bytes, tuple[int, int]]] = field(default_factory=dict)

    def is_new(self, offset: int, datum: bytes) -> bool:
        """Whether the event was not said before, in whichever framing.

        Raises `ContractError` when its id stands for other content.
        """
        if offset // self.window != self._stretch:
            self._turn(offset // self.window)
        event_id = _event_id(datum)
        known = self._now.get(event_id) or self._before.get(event_id)
        if known is None:
            self._now[event_id] = (offset, hash(datum))
            return True
        if known[0] == offset:
            return True  # the same record, read again after a restart
        if known[1] != hash(datum):
            raise ContractError("the event id was used for other content", code="contract.event-id-reused")
        return False

    def _turn(self, stretch: int) -> None:
        """Go to another stretch. The two before it are kept as well: a partition may be read again from there."""
        self._stretch = stretch
        self._now = self._stretches.setdefault(stretch, {})
        self._before = self._stretches.setdefault(stretch - 1, {})
        newest = max(self._stretches)
        self._stretches = {number: ids for number, ids in self._stretches.items() if number >= newest - 2}


def recognised(offsets: Iterable[int], window: int = WINDOW) -> set[int]:
    """Those of the offsets, in order, at which one and the same event stands that `Redeliveries` recognises."""
    remembered: set[int] = set()
    repeats = set()
    for offset in offsets:
        stretch = offset // window
        if remembered & {stretch, stretch - 1}:
            repeats.add(offset)
        else:
            remembered.add(stretch)
    return repeats


def _event_id(datum: bytes) -> bytes:
    """The first field: an Avro string, its length as a zigzag varint before it."""
    size = datum[0] if datum else 0
    if size < 0x80:
        return datum[1 : 1 + (size >> 1)]
    return datum[:256]
