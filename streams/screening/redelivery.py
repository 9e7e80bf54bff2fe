"""Tells a redelivered event from a new one: the same id and bytes among the last so many offsets of a partition.

The window is counted in offsets, so a replay decides as the first run did; a worker that takes over a partition
reads it back from the log. The id is the first field of an activity, so no datum is decoded for it.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from hashlib import blake2b

from inzage.schemas.codec import HEADER_BYTES
from inzage.schemas.errors import ContractError

WINDOW = 50_000
"""How many offsets back an event is recognised."""


@dataclass(slots=True)
class Redeliveries:
    """The ids and digests of the events in the window."""

    window: int = WINDOW
    _digests: dict[bytes, tuple[int, bytes]] = field(default_factory=dict)
    _order: deque[tuple[int, bytes]] = field(default_factory=deque)

    def is_new(self, offset: int, message: bytes) -> bool:
        """Whether the event was not said before; raises `ContractError` when its id stands for other content."""
        event_id = _event_id(message)
        digest = blake2b(message, digest_size=12).digest()
        while self._order and self._order[0][0] <= offset - self.window:
            old_offset, old_id = self._order.popleft()
            if self._digests.get(old_id, (None,))[0] == old_offset:
                del self._digests[old_id]
        before = self._digests.get(event_id)
        if before is None:
            self._digests[event_id] = (offset, digest)
            self._order.append((offset, event_id))
            return True
        if before[0] == offset:
            return True  # the same record, read again after a restart
        if before[1] != digest:
            raise ContractError("the event id was used for other content", code="contract.event-id-reused")
        return False


def _event_id(message: bytes) -> bytes:
    """The first field: an Avro string, its length as a zigzag varint before it."""
    size = message[HEADER_BYTES]
    if size < 0x80:
        start = HEADER_BYTES + 1
        return message[start : start + (size >> 1)]
    return message[HEADER_BYTES : HEADER_BYTES + 256]
