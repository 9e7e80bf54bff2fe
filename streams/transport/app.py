"""Decides what becomes of a batch: its agent returns and it is done, or the process ends, nothing skipped.

A worker is a Faust app with one sequential agent per batch topic. An unexpected exception commits what was
finished before, and ends the process with `EXIT_FATAL`; the supervisor starts it again and the same batch
comes again.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import threading
from collections.abc import Awaitable, Callable
from typing import Any, NoReturn

import faust
from faust.types import TP
from mode import Service
from mode.supervisors import CrashingSupervisor

from inzage.schemas.errors import TransientError
from inzage.schemas.settings import KafkaSettings
from inzage.streams.transport.batch import RecordBatch
from inzage.streams.transport.connection import faust_options
from inzage.streams.transport.consumer import BatchConsumer, BatchTransport
from inzage.streams.transport.fatal import COMMIT_WITHIN, EXIT_FATAL, describe
from inzage.streams.transport.progress import PendingBatch
from inzage.streams.transport.settings import BatchSettings

BatchFunction = Callable[[RecordBatch], Awaitable[None]]

logger = logging.getLogger(__name__)


class BatchApp(faust.App):
    """A Faust app whose agents receive `RecordBatch`. `id` is the consumer group.

    Further options are Faust's settings. Raises `ConfigError` when the Kafka settings lack a secret or a
    file.
    """

    def __init__(self, id: str, *, kafka: KafkaSettings, batch: BatchSettings | None = None, **options: Any) -> None:
        self.batch_settings = batch or BatchSettings()
        self.batch_topics: set[str] = set()
        self._ending = False
        super().__init__(id, **(faust_options(kafka) | _options(self.batch_settings) | options))

    def batch_agent(self, topic: str) -> Callable[[BatchFunction], Any]:
        """Decorate `async def f(batch: RecordBatch) -> None`: returning is done, raising ends the process."""
        self.batch_topics.add(topic)
        source = self.topic(
            topic,
            key_type=None,
            value_type=None,
            key_serializer="raw",
            value_serializer="raw",
            allow_empty=True,
        )

        def decorate(function: BatchFunction) -> Any:
            async def consume(stream: faust.Stream) -> None:
                stream.enable_acks = False
                async for pending in stream:
                    event = stream.current_event
                    if not pending.discarded:
                        await self._hand_over(function, pending)
                    event.ack()

            name = f"{function.__module__}.{getattr(function, '__name__', 'agent')}@{topic}"
            return self.agent(source, name=name, concurrency=1, supervisor_strategy=CrashingSupervisor)(consume)

        return decorate

    def run(self) -> NoReturn:
        """Work until SIGTERM or SIGINT; logging is left as the caller set it up."""
        worker = faust.Worker(self, quiet=True, override_logging=False, redirect_stdouts=False)
        worker.spinner = None
        worker.execute_from_commandline()
        raise SystemExit(0)

    def lag(self) -> dict[TP, int]:
        """Records not yet done, per assigned partition (topic, partition)."""
        return self._batch_consumer.lag() if self._batch_consumer else {}

    def oldest_unfinished_age(self) -> float:
        """Seconds since the oldest unfinished batch was handed out; 0.0 when there is none."""
        return self._batch_consumer.oldest_unfinished_age() if self._batch_consumer else 0.0

    async def stop(self) -> None:
        """Finish the batches in hand, commit and leave the group; a stop that hangs ends the process."""
        overdue = threading.Timer(self.batch_settings.stop_within, _end_overdue)  # the loop itself may be what hangs
        overdue.daemon = True
        overdue.start()
        try:
            await super().stop()
        finally:
            overdue.cancel()

    async def end_process(self, error: BaseException, batch: RecordBatch | None = None) -> NoReturn:
        """Commit what is finished, leave the group and end this process with `EXIT_FATAL`, within 5 s."""
        if self._ending:
            await asyncio.sleep(2 * COMMIT_WITHIN)
        self._ending = True
        logger.critical("worker ends: %s%s", describe(error), f" in batch {batch}" if batch else "")
        try:
            await asyncio.wait_for(self._commit_and_leave(), COMMIT_WITHIN)
        except Exception as failure:
            logger.critical("finished batches may come again: %s", describe(failure))
        finally:
            for stream in (sys.stdout, sys.stderr):
                stream.flush()
            os._exit(EXIT_FATAL)  # an orderly stop would wait for the batch that cannot be finished

    async def _hand_over(self, function: BatchFunction, pending: PendingBatch) -> None:
        try:
            await function(pending.batch)
        except BaseException as error:
            if isinstance(error, asyncio.CancelledError | GeneratorExit) and _is_cancelled():
                raise
            await self.end_process(error, pending.batch)
        if self._batch_consumer:
            self._batch_consumer.finish(pending)

    async def _commit_and_leave(self) -> None:
        if self._batch_consumer:
            await self._batch_consumer.commit()  # may only join a commit already under way
            await self._batch_consumer.commit()
            await self._batch_consumer.leave()

    @Service.task
    async def _watchdog(self) -> None:
        limit = self.batch_settings.watchdog_age
        while not self.should_stop:
            await self.sleep(min(1.0, limit / 4))
            consumer = self._batch_consumer
            if consumer and max(consumer.oldest_unfinished_age(), consumer.silence()) > limit:
                await self.end_process(
                    TransientError(
                        f"no progress: oldest batch {consumer.oldest_unfinished_age():.0f} s,"
                        f" last fetch {consumer.silence():.0f} s ago",
                        code="transient.stalled",
                    )
                )

    @property
    def _batch_consumer(self) -> BatchConsumer | None:
        consumer: BatchConsumer | None = self._consumer
        return consumer

    def _new_transport(self) -> BatchTransport:
        return BatchTransport(self.conf.broker_consumer, self)

    def _create_directories(self) -> None:
        """Create none: no table of this app is kept on disk."""


def _end_overdue() -> NoReturn:
    """Seen of a worker that was told to stop while it joined its group: it had not ended 30 s later."""
    logger.critical("worker ends: it did not stop in time, unfinished batches come again")
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(EXIT_FATAL)


def _is_cancelled() -> bool:
    """Whether this task is being stopped, as against an awaited call having been cancelled under it."""
    task = asyncio.current_task()
    return task is None or task.cancelling() > 0


def _options(batch: BatchSettings) -> dict[str, Any]:
    return {
        "store": "memory://",
        "web_enabled": False,
        "topic_disable_leader": True,
        "topic_allow_declare": False,
        "table_standby_replicas": 0,
        "consumer_auto_offset_reset": "none",  # a committed offset that is gone is a loss: be loud
        "consumer_max_fetch_size": batch.max_partition_fetch_bytes,
        "broker_max_poll_records": batch.max_poll_records,
        "broker_commit_interval": batch.commit_interval,
        "broker_session_timeout": batch.session_timeout,
        "broker_heartbeat_interval": batch.session_timeout / 5,
        "broker_rebalance_timeout": batch.rebalance_timeout,
        "broker_max_poll_interval": batch.watchdog_age,
        "stream_buffer_maxsize": 4 * batch.buffered_batches,  # Intake keeps it below its pressure mark
        "stream_wait_empty": True,
        "stream_recovery_delay": 0.0,
        "producer_acks": -1,
    }
