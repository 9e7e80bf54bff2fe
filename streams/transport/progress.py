"""Decides what may be committed: everything below the first unfinished batch of a partition, and never more.

Batches of one partition are kept in the order in which they were handed out. A batch finished out of order
waits for those before it; a batch whose records are to be fetched again is discarded, and finishing it
changes nothing.
"""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass

from aiokafka.structs import TopicPartition

from inzage.streams.transport.batch import RecordBatch


@dataclass(slots=True, eq=False)
class PendingBatch:
    """A batch in an agent's hands or queue, `handed_at` on the monotonic clock."""

    batch: RecordBatch
    handed_at: float
    finished: bool = False
    discarded: bool = False


class Progress:
    """Keeps, per partition, the batches handed out and not yet committed."""

    def __init__(self) -> None:
        self._open: dict[TopicPartition, deque[PendingBatch]] = {}
        self._position: dict[TopicPartition, int] = {}
        self._unfinished: Counter[str] = Counter()

    def begin(self, tp: TopicPartition, offset: int) -> None:
        """Say that everything below `offset` is done."""
        self._position[tp] = offset

    def hand_out(self, batch: RecordBatch, now: float) -> PendingBatch:
        pending = PendingBatch(batch, now)
        self._open.setdefault(TopicPartition(batch.topic, batch.partition), deque()).append(pending)
        self._unfinished[batch.topic] += 1
        return pending

    def finish(self, pending: PendingBatch) -> None:
        if pending.finished or pending.discarded:
            return
        pending.finished = True
        self._unfinished[pending.batch.topic] -= 1
        tp = TopicPartition(pending.batch.topic, pending.batch.partition)
        batches = self._open[tp]
        while batches and batches[0].finished:
            self._position[tp] = batches.popleft().batch.last_offset + 1

    def position(self, tp: TopicPartition) -> int | None:
        """The offset that may be committed: the first not known to be done, or None when nothing is known."""
        return self._position.get(tp)

    def forget(self) -> None:
        """Discard all batches: their records will be fetched again from the committed offset."""
        for batches in self._open.values():
            for pending in batches:
                pending.discarded = True
        self._open.clear()
        self._position.clear()
        self._unfinished.clear()

    @property
    def unfinished(self) -> Counter[str]:
        """Batches handed out and not finished, per topic."""
        return self._unfinished

    def oldest_age(self, now: float) -> float:
        """Seconds since the oldest unfinished batch was handed out; 0.0 when there is none."""
        batches = [tuple(batches) for batches in tuple(self._open.values())]  # a metrics thread may be asking
        ages = (now - pending.handed_at for known in batches for pending in known if not pending.finished)
        return max(ages, default=0.0)
