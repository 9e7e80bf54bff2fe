"""Keeps the trail up with Kafka: reads every log of its topics in the group `inzage-trail` and settles it in order.

Exactly once in effect: on assignment the trail is asked what it holds, an insert is acknowledged before its offsets
are committed, and whoever lost a partition does not insert. Nothing is skipped: an error that is not understood
ends the process, and the supervisor starts it again.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError

from inzage.schemas.codec import Schema
from inzage.schemas.errors import TransientError
from inzage.schemas.kafka_clients import for_aiokafka
from inzage.schemas.registered import configured_schemas
from inzage.schemas.settings import Settings
from inzage.schemas.statement import statement, statement_key
from inzage.schemas.topics import MAX_MESSAGE_BYTES, SCHEMAS
from inzage.sinks import dead_letters
from inzage.sinks.block import Unreadable
from inzage.sinks.intake import Intake, Pace, Slice
from inzage.sinks.lifetime import EXIT_UNEXPECTED
from inzage.sinks.logs import Cluster, Log, Topic
from inzage.sinks.metrics import LAG
from inzage.sinks.schema_log import SchemaLog
from inzage.sinks.settle import Fenced, Prepared, Settler, prepare
from inzage.sinks.trail import Trail

GROUP = "inzage-trail"

_POLL_MS = 200
_FETCH_BYTES = 8 << 20  # of one partition: a block in a few fetches
_log = structlog.get_logger("inzage.sink")


@dataclass(slots=True)
class _Owned:
    """A partition that is ours. `intake` None: the trail was not yet asked what it holds."""

    log: Log
    generation: int
    """That of the group in which the partition was given to us."""
    committed: int | None = None
    """The next offset to come, as Kafka has it; None where nothing was committed."""
    intake: Intake | None = None
    leaving: bool = False
    """Nothing more is taken in."""
    lost: bool = False
    """Nothing more is inserted: a later slice must not pass one that was left to the next owner."""


class Sink(ConsumerRebalanceListener):  # type: ignore[misc] # aiokafka has no types
    """The process: `run` returns when `stop` was called and everything in hand is settled."""

    def __init__(
        self,
        settings: Settings,
        trail: Trail,
        cluster: Cluster,
        topics: Mapping[str, Topic],
        pace: Pace | None = None,
    ) -> None:
        self._pace = pace or Pace()
        self._trail = trail
        self._cluster = cluster
        self._topics = topics
        kafka = for_aiokafka(settings.kafka)
        self._consumer = AIOKafkaConsumer(
            **kafka,
            group_id=GROUP,
            client_id="inzage-sink",
            enable_auto_commit=False,
            auto_offset_reset="none",  # an offset that is gone is an alarm, not a reason to begin elsewhere
            session_timeout_ms=int(self._pace.session_timeout * 1000),
            heartbeat_interval_ms=int(self._pace.session_timeout * 1000 / 10),
            rebalance_timeout_ms=int((self._pace.drain_within + self._pace.settled_within) * 1000),
            max_partition_fetch_bytes=_FETCH_BYTES,
        )
        self._producer = AIOKafkaProducer(
            **kafka, client_id="inzage-sink", enable_idempotence=True, max_request_size=MAX_MESSAGE_BYTES + 1024
        )
        self._schemas = SchemaLog(settings.kafka, configured_schemas(settings.schema_registry), self._state)
        self._owned: dict[TopicPartition, _Owned] = {}
        self._queue: asyncio.Queue[tuple[_Owned, Prepared]] = asyncio.Queue(maxsize=1)
        self._queued_bytes = 0
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Ask `run` to settle what is in hand and return; may be called from a signal's callback."""
        self._stopping.set()

    async def run(self) -> None:
        """Take in and settle until `stop`; raises what nobody should go on after."""
        settling = asyncio.create_task(self._settle_queued())
        try:
            await self._producer.start()
            await self._consumer.start()
            self._consumer.subscribe(topics=list(self._topics), listener=self)
            while not self._stopping.is_set():
                if settling.done():
                    settling.result()
                await self._recover()
                await self._take_in()
                await self._hand_over(time.monotonic())
                self._press_back()
            await self._drain(list(self._owned.values()))
        except KafkaError as error:
            raise TransientError(f"Kafka: {type(error).__name__}", code="transient.kafka") from error
        finally:
            await self._end(settling)
            await self._consumer.stop()
            await self._producer.stop()

    async def _end(self, settling: asyncio.Task[None]) -> None:
        """Begin no other insert, and leave the group only when the one under way has ended."""
        for owned in self._owned.values():
            owned.lost = True
        ended = asyncio.create_task(self._queue.join())
        await asyncio.wait((settling, ended), timeout=self._pace.settled_within, return_when=asyncio.FIRST_COMPLETED)
        for task in (settling, ended):
            task.cancel()
        await asyncio.gather(settling, ended, return_exceptions=True)

    async def on_partitions_assigned(self, assigned: Sequence[TopicPartition]) -> None:
        """Note what is ours; it is paused until the trail said what it holds.

        Each gets a position before anything is awaited, or the fetcher asks for one that nobody committed.
        """
        self._consumer.pause(*assigned)
        for partition in assigned:
            self._consumer.seek(partition, 0)
            log = self._cluster.log(self._topics[partition.topic], partition.partition)
            self._owned[partition] = _Owned(log, self._generation)

    async def on_partitions_revoked(self, revoked: Sequence[TopicPartition]) -> None:
        """Stop intake and settle what is on its way; what is not in time is the next owner's."""
        leaving = [owned for partition in revoked if (owned := self._owned.get(partition))]
        try:
            await self._drain(leaving)
        except TimeoutError:
            # Nobody knows whether that insert will arrive: better no sink for a while than a row twice.
            _log.error("an insert neither ended nor failed")
            os._exit(EXIT_UNEXPECTED)
        for owned in leaving:
            owned.lost = True
            self._owned.pop(_partition(owned.log), None)

    async def _recover(self) -> None:
        """Ask the trail about new partitions and begin each where the trail ends."""
        new = [(partition, owned) for partition, owned in self._owned.items() if not (owned.intake or owned.leaving)]
        if not new:
            return
        try:
            begins = await self._consumer.beginning_offsets([partition for partition, _ in new])
            for partition, owned in new:
                owned.committed = await self._consumer.committed(partition)
                intake = await asyncio.to_thread(self._begin, owned, begins[partition])
                if self._owned.get(partition) is owned and not owned.leaving:
                    owned.intake = intake
                    self._consumer.seek(partition, intake.due)
                    self._consumer.resume(partition)
        except IllegalStateError:
            return  # no longer ours
        except TransientError:
            _log.warning("trail not reachable")
            await asyncio.sleep(1)

    def _begin(self, owned: _Owned, beginning: int) -> Intake:
        """Where to go on: past what the trail holds without a gap from the committed offset.

        A commit that the trail does not bear out is not believed: the trail may have been started anew.
        """
        log = owned.log
        base, dropped_below = self._trail.beginning(log.id)
        beginning = max(beginning, dropped_below)  # Kafka may still have what was stated and dropped
        start = max(owned.committed or 0, beginning)
        held = self._trail.held(log.id, max(start - 1, beginning))
        if log.dense and start > beginning and start - 1 not in held:
            _log.warning("the trail lacks what was committed", log=log.id, committed=start)
            start, held = beginning, self._trail.held(log.id, beginning)
        return Intake(log, beginning if base is None else base, held.first_missing(start), held)

    async def _take_in(self) -> None:
        fetched = await self._consumer.getmany(timeout_ms=_POLL_MS, max_records=self._pace.block_rows)
        now = time.monotonic()
        for partition, records in fetched.items():
            owned = self._owned.get(partition)
            if owned and owned.intake:
                owned.intake.take(records, now)

    async def _hand_over(self, now: float) -> None:
        """Queue the slice that waits longest, when there is room."""
        due = [(intake.since, owned) for owned, intake in self._intakes() if intake.is_due(self._pace, now)]
        if not due or self._queue.full():
            return
        owned = min(due, key=lambda waiting: waiting[0])[1]
        assert owned.intake
        slice_ = owned.intake.cut(self._pace, now)
        self._queued_bytes += slice_.bytes
        prepared = await self._prepared(slice_)
        if prepared:
            await self._queue.put((owned, prepared))

    async def _prepared(self, slice_: Slice) -> Prepared | None:
        """The slice as blocks; None when told to stop while a schema was waited for: it is read again."""
        preparing = asyncio.create_task(prepare(slice_, self._schemas))
        stopping = asyncio.create_task(self._stopping.wait())
        try:
            await asyncio.wait((preparing, stopping), return_when=asyncio.FIRST_COMPLETED)
            return await preparing if preparing.done() else None
        finally:
            for task in (preparing, stopping):
                task.cancel()
            await asyncio.gather(preparing, stopping, return_exceptions=True)

    def _press_back(self) -> None:
        """Pause what holds too much; Kafka is still polled, so the group goes on."""
        full = self._queued_bytes + sum(intake.bytes for _, intake in self._intakes()) >= self._pace.buffered_bytes
        paused = self._consumer.paused()
        for partition, owned in self._owned.items():
            if owned.intake:
                wanted = full or len(owned.intake.records) >= self._pace.buffered_rows
                if wanted and partition not in paused:
                    self._consumer.pause(partition)
                elif not wanted and partition in paused:
                    self._consumer.resume(partition)

    async def _settle_queued(self) -> None:
        while True:
            owned, prepared = await self._queue.get()
            slice_ = prepared.slice
            settler = Settler(self._trail, self._schemas, partial(self._fence, owned), self._say_dead)
            try:
                await settler.settle(prepared)
                await self._commit(owned, slice_.last + 1)
                self._show_lag(slice_)
            except Fenced:
                owned.lost = True
                _log.info("left to the next owner", log=slice_.log.id)
            finally:
                self._queued_bytes -= slice_.bytes
                self._queue.task_done()

    async def _drain(self, leaving: Sequence[_Owned]) -> None:
        """Settle what is queued; what was not cut, or not begun in time, is read again by the next owner.

        An insert that was begun is waited for: the next owner asks the trail only after this returned.
        """
        for owned in leaving:
            owned.leaving, owned.intake = True, None
        try:
            await asyncio.wait_for(self._queue.join(), self._pace.drain_within)
        except TimeoutError:
            for owned in leaving:
                owned.lost = True
            _log.warning("not settled in time", logs=len(leaving))
            await asyncio.wait_for(self._queue.join(), self._pace.settled_within)

    async def _fence(self, owned: _Owned) -> None:
        """Ask Kafka whether the log is still ours, by committing what is committed; raises `Fenced`."""
        await self._commit(owned, owned.committed or 0)

    async def _commit(self, owned: _Owned, offset: int) -> None:
        """Commit as the member that was given the log; raises `Fenced` when that is not who we are any more.

        Whoever was expelled has no generation, and Kafka takes a commit without one for a group that is empty: its
        answer counts only if the generation was still that in which the log was given.
        """
        self._hold_to(owned)
        try:
            await self._consumer.commit({_partition(owned.log): offset})
        except (CommitFailedError, IllegalStateError) as error:
            raise Fenced(owned.log.id) from error
        except KafkaError as error:
            raise TransientError("Kafka takes no commit", code="transient.kafka") from error
        self._hold_to(owned)
        owned.committed = offset

    def _hold_to(self, owned: _Owned) -> None:
        if owned.lost or self._generation != owned.generation:
            raise Fenced(owned.log.id)

    @property
    def _generation(self) -> int:
        """That of the group of which this process is a member, -1 when it is none."""
        generation: int = self._consumer._coordinator.generation  # aiokafka 0.14 tells it nowhere else
        return generation

    async def _state(self, schema: Schema) -> None:
        """Say on the schemas topic what a registry's id stands for."""
        try:
            await self._producer.send_and_wait(SCHEMAS, statement(schema), statement_key(schema))
        except KafkaError as error:
            raise TransientError("the schemas topic takes nothing", code="transient.kafka") from error

    async def _say_dead(self, log: Log, unreadable: Sequence[Unreadable]) -> None:
        await dead_letters.produce(self._producer, log, unreadable)

    def _show_lag(self, slice_: Slice) -> None:
        partition = _partition(slice_.log)
        if partition in self._consumer.assignment():
            end = self._consumer.highwater(partition) or 0
            LAG.labels(partition.topic, partition.partition).set(max(0, end - slice_.last - 1))

    def _intakes(self) -> list[tuple[_Owned, Intake]]:
        return [(owned, owned.intake) for owned in self._owned.values() if owned.intake]


def _partition(log: Log) -> TopicPartition:
    return TopicPartition(log.topic.name, log.partition)
