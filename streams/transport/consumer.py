"""Keeps the promise that no record is skipped: what was fetched is either handed out or fetched again.

The rule that decides: aiokafka moves its position when it returns records, so whenever returned records are
not handed out (the flow stopped, a seek or rebalance went by, the partition was paused) every partition is
sought back to its committed offset before the next fetch. Commits follow `Progress`, never Faust's own
per-record bookkeeping.

Overrides private methods of faust-streaming 0.15.3; tests/contract/test_faust_seams.py lists them.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from time import monotonic
from typing import TYPE_CHECKING, Any

from aiokafka.errors import IllegalStateError, KafkaError
from aiokafka.structs import ConsumerRecord, TopicPartition
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread, Consumer, Transport
from faust.types import TP
from faust.types.tuples import ConsumerMessage

from inzage.streams.transport.batch import RecordBatch
from inzage.streams.transport.intake import Intake
from inzage.streams.transport.progress import PendingBatch, Progress

if TYPE_CHECKING:
    from inzage.streams.transport.app import BatchApp

logger = logging.getLogger(__name__)

TICK = 0.005
"""Seconds between looks at the agents while records wait for one of them."""
RETRY_SEEK = 0.2
"""Seconds before a seek that failed is tried again."""


class BatchConsumer(Consumer):
    """A Faust consumer whose messages are batches, for the topics in `app.batch_topics`."""

    app: BatchApp

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._intake = Intake(self.app.batch_settings)
        self._progress = Progress()
        self._incarnation = 0
        self._discards = 0
        self._discards_made_good = 0
        self._epoch = 0
        self._seeking = asyncio.Lock()
        self._batch_finished = asyncio.Event()
        self._polled_at = monotonic()

    def _new_consumer_thread(self) -> BatchConsumerThread:
        return BatchConsumerThread(self, loop=self.loop, beacon=self.beacon)

    # -- reading ----------------------------------------------------------------

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, ConsumerMessage]]:  # noqa: ASYNC109
        """Fetch once, then yield the batches that are ready."""
        if not self.flow_active:
            await self.wait(self.can_resume_flow)
        if self.should_stop or not await self._make_good():
            return
        moment = self._moment
        fetched = await self._fetch(timeout)
        if self.should_stop:
            return
        if moment != self._moment or not self.flow_active:
            if fetched:
                self._discard()
            return
        self._polled_at = monotonic()
        for tp, message in self._take_in(fetched):
            yield tp, message
        self._batch_finished.clear()
        while cut := self._intake.cut(self._progress.unfinished, monotonic()):
            tp = TP(*cut[0])
            batch = RecordBatch(tp.topic, tp.partition, cut[1], self._incarnation)
            pending = self._progress.hand_out(batch, monotonic())
            yield tp, self._to_batch_message(tp, pending)
            if moment != self._moment or not self.flow_active:
                self._discard()
                return

    @property
    def _moment(self) -> tuple[int, int]:
        """Changes whenever records fetched before may no longer be handed out."""
        return self._epoch, self.app.consumer_generation_id

    def _discard(self) -> None:
        """Note that fetched records will not be handed out: seek back before the next fetch."""
        self._discards += 1

    async def _make_good(self) -> bool:
        if self._discards == self._discards_made_good:
            return True
        try:
            await self.perform_seek()
        except KafkaError as error:
            logger.warning("seek to committed offsets failed, will retry: %s", type(error).__name__)
            await self.sleep(RETRY_SEEK)
        return self._discards == self._discards_made_good

    async def _fetch(self, longest: float) -> Mapping[TP, list[ConsumerRecord]]:
        active = {tp for tp in self._get_active_partitions() if not self._intake.is_full(tp.topic)}
        if self._intake or not active:
            await self._wait_for_agent()
            longest = 0.0
        elif self._buffered_partitions:
            longest = min(longest, 10 * TICK)
        if not active:  # aiokafka would take an empty set for all partitions
            return {}
        try:
            fetched: Mapping[TP, list[ConsumerRecord]] = await self._getmany(active, longest)
        except self.consumer_stopped_errors:
            raise
        except KafkaError as error:
            await self.app.end_process(error)
        return fetched

    async def _wait_for_agent(self) -> None:
        try:
            await asyncio.wait_for(self._batch_finished.wait(), TICK)
        except TimeoutError:
            pass  # look again: more may have been fetched

    def _take_in(self, fetched: Mapping[TP, list[ConsumerRecord]]) -> list[tuple[TP, ConsumerMessage]]:
        """Put records of batch topics into the intake; return what else was fetched as single messages."""
        singles: list[tuple[TP, ConsumerMessage]] = []
        now = monotonic()
        for aiokafka_tp, records in fetched.items():
            tp = TP(*aiokafka_tp)
            if tp in self._paused_partitions:
                self._discard()
            elif tp.topic in self.app.batch_topics:
                self._intake.add(aiokafka_tp, records, now)
            else:
                singles.extend((tp, self._to_message(tp, record)) for record in records)
        return singles

    def _to_batch_message(self, tp: TP, pending: PendingBatch) -> ConsumerMessage:
        last = pending.batch.records[-1]
        return ConsumerMessage(
            *(tp.topic, tp.partition, last.offset, last.timestamp / 1000.0, last.timestamp_type),
            *((), None, pending, None, 0, 0, tp),
            generation_id=self.app.consumer_generation_id,
        )

    # -- committing -------------------------------------------------------------

    def finish(self, pending: PendingBatch) -> None:
        """Mark a batch as done; its records are committed once those before it are done too."""
        self._progress.finish(pending)
        self._batch_finished.set()

    def _new_offset(self, tp: TP) -> int | None:
        if tp.topic not in self.app.batch_topics:
            return super()._new_offset(tp)  # type: ignore[no-any-return]
        self._acked[tp].clear()
        self._acked_index[tp].clear()
        return self._progress.position(tp)

    async def _commit_offsets(self, offsets: Mapping[TP, int], start_new_transaction: bool = True) -> bool:
        committed: bool = await super()._commit_offsets(offsets, start_new_transaction)
        if not committed:  # the base class takes it for done: forget that, so that it is tried again
            for tp in offsets:
                self._committed_offset.pop(tp, None)
        return committed

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        if tp.topic not in self.app.batch_topics:
            await super()._add_gap(tp, offset_from, offset_to)

    # -- seeking and rebalancing ------------------------------------------------

    def stop_flow(self) -> None:
        """Stop handing out; Faust empties the agents' queues after this."""
        super().stop_flow()
        self._discard()

    async def perform_seek(self) -> None:
        """Go back to the committed offset of every partition, or to its beginning where there is none."""
        self._discard()
        async with self._seeking:
            discards = self._discards
            self._epoch += 1
            self._intake.clear()
            self._progress.forget()
            self._committed_offset.clear()
            if assignment := self.assignment():
                await super().perform_seek()
                await self._seek_where_nothing_is_committed(assignment)
                for tp in assignment:
                    if tp.topic in self.app.batch_topics:
                        await self._begin(tp)
            self._discards_made_good = discards

    async def _seek_where_nothing_is_committed(self, assignment: set[TP]) -> None:
        """Move the partitions that aiokafka leaves in place: it would skip what was read and discarded."""
        fresh = [tp for tp in assignment if not self._committed_offset[tp] and not self._is_changelog_tp(tp)]
        if fresh:
            await self._thread.seek_to_beginning(*(TopicPartition(*tp) for tp in fresh))

    async def _begin(self, tp: TP) -> None:
        self._read_offset[tp] = None
        offset = self._committed_offset[tp] or await self.position(TopicPartition(*tp))
        if offset is not None:
            self._intake.expect(tp, offset)
            self._progress.begin(tp, offset)

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        await self.commit()  # the base class forgets what is finished
        await super().on_partitions_revoked(revoked)

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        self._incarnation += 1  # the assignors used here revoke everything before they assign
        await super().on_partitions_assigned(assigned, generation_id)

    async def leave(self) -> None:
        """Leave the group at once, so that others need not wait for the session time-out."""
        await self._thread.call_thread(self._thread._ensure_consumer().stop)

    # -- measures ---------------------------------------------------------------

    def lag(self) -> dict[TP, int]:
        """Records not known to be done, per assigned partition of a batch topic."""
        lags = {}
        for tp in self.assignment():
            try:
                position, end = self._progress.position(tp), self.highwater(tp)
            except IllegalStateError:
                continue  # revoked meanwhile: another worker measures it
            if tp.topic in self.app.batch_topics and position is not None and end is not None:
                lags[tp] = max(0, end - position)
        return lags

    def oldest_unfinished_age(self) -> float:
        """Seconds since the oldest unfinished batch was handed out; 0.0 when there is none."""
        return self._progress.oldest_age(monotonic())

    def silence(self) -> float:
        """Seconds since the last completed fetch, empty ones included."""
        return monotonic() - self._polled_at


class BatchConsumerThread(AIOKafkaConsumerThread):
    """Faust's consumer thread, with a shorter wait for an empty fetch than the 1.5 s it hard-codes."""

    def _create_worker_consumer(self, transport: Transport) -> Any:
        consumer = super()._create_worker_consumer(transport)
        consumer._fetch_max_wait_ms = int(self.app.batch_settings.fetch_max_wait * 1000)
        return consumer


class BatchTransport(Transport):
    """Faust's aiokafka transport with `BatchConsumer`."""

    Consumer = BatchConsumer
