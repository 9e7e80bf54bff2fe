"""Decides which records of a log go into the next slice: each offset once, none left out, cut at a size or an age.

What the trail already holds is skipped. In a log that is sealed the next offset is the last one plus one; anything
else means that a record was lost or removed, and stops the sink.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from aiokafka import ConsumerRecord

from inzage.schemas.errors import TamperError
from inzage.sinks.logs import Log
from inzage.sinks.metrics import SKIPPED
from inzage.sinks.trail import Held

ANSWER_MARGIN = 5.0
"""Seconds a client waits longer than ClickHouse works, so that what became of an insert is known."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How the sink cuts, waits and gives up; times in seconds.

    A block is settled within `insert_within`, which lies well below `session_timeout`: when Kafka gives the
    partition to another process, nothing of this one is still on its way into ClickHouse.
    """

    block_rows: int = 49_152
    """Measured: ClickHouse spends 14 us a row on blocks of this size, 21 on a third of it: merges."""
    block_bytes: int = 64 << 20
    linger: float = 1.0
    buffered_rows: int = 98_304
    """Per log; at most `buffered_bytes` over all logs before intake pauses."""
    buffered_bytes: int = 256 << 20
    session_timeout: float = 30.0
    insert_within: float = 10.0
    drain_within: float = 20.0
    """After a partition was taken away: until then another insert may be begun."""

    @property
    def settled_within(self) -> float:
        """After the last insert was begun, until it is certain what became of it, in seconds."""
        return self.insert_within + 2 * ANSWER_MARGIN


@dataclass(frozen=True, slots=True)
class Slice:
    """Records of one log, in order, that are settled together; `last` is committed, skipped records included."""

    log: Log
    base: int
    records: Sequence[ConsumerRecord]
    last: int
    bytes: int


@dataclass(slots=True)
class Intake:
    """What was read of one log and is not yet cut. `base`: the offset it began at; `due` the next one to come."""

    log: Log
    base: int
    due: int
    held: Held
    records: list[ConsumerRecord] = field(default_factory=list)
    bytes: int = 0
    since: float = 0.0

    def take(self, records: Sequence[ConsumerRecord], now: float) -> None:
        """Add records as they were fetched; raises `TamperError` when one is missing before them."""
        fresh = [record for record in records if record.offset >= self.due]  # a fetch may be older than a seek
        if not fresh:
            return
        if self.log.dense and fresh[-1].offset - self.due + 1 != len(fresh):
            wanted = next(at for at, record in enumerate(fresh, self.due) if record.offset != at)
            raise TamperError(
                f"{self.log.id}: offset {wanted} is missing",
                code="trail.gap",
                hint="this topic is neither compacted nor transactional: was its retention too short?",
            )
        if not self.records:
            self.since = now
        self.due = fresh[-1].offset + 1
        self.records += fresh
        self.bytes += _size(fresh)

    def is_due(self, pace: Pace, now: float) -> bool:
        """Whether a slice is to be cut now."""
        full = len(self.records) >= pace.block_rows or self.bytes >= pace.block_bytes
        return full or bool(self.records and now - self.since >= pace.linger)

    def cut(self, pace: Pace, now: float) -> Slice:
        """Take the next slice, without the records the trail holds; one or more records must be there."""
        rows = pace.block_rows if self.bytes < pace.block_bytes else self._rows_of(pace.block_bytes)
        taken, self.records = self.records[:rows], self.records[rows:]
        last, size = taken[-1].offset, _size(taken)
        self.bytes -= size
        self.since = now
        if taken[0].offset <= self.held.last:
            fresh = [record for record in taken if record.offset not in self.held]
            SKIPPED.inc(len(taken) - len(fresh))
            taken = fresh
        return Slice(self.log, self.base, taken, last, size)

    def _rows_of(self, size: int) -> int:
        """How many of the records, one at least, hold `size` bytes."""
        sums = accumulate(record.serialized_value_size for record in self.records)
        return next((rows for rows, total in enumerate(sums, 1) if total >= size), len(self.records))


def _size(records: Sequence[ConsumerRecord]) -> int:
    return sum([record.serialized_value_size for record in records])
