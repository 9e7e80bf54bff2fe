"""Reads a topic whole, up to where it ends now: reference data, and dossiers of a partition just assigned.

A plain reader without a group: it commits nothing. The end is taken once, at the start, so reading stops
although others go on writing; a record at or beyond that end may come along, and compaction leaves holes
between offsets.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from types import TracebackType
from typing import Self

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError
from aiokafka.structs import ConsumerRecord, TopicPartition

from inzage.schemas.errors import TransientError
from inzage.schemas.settings import KafkaSettings
from inzage.streams.transport.connection import aiokafka_options

BLOCK_RECORDS = 20_000
FETCH_BYTES = 8 << 20
"""Bytes of one partition asked for at once."""


async def read_to_end(
    kafka: KafkaSettings, topic: str, partitions: Collection[int] | None = None
) -> AsyncIterator[Sequence[ConsumerRecord]]:
    """Yield all records of `topic` (all its partitions, or those named) in blocks, each of one partition.

    Raises `TransientError` when the brokers do not answer or do not know the topic.
    """
    async with Follower(kafka, topic, partitions) as follower:
        async for block in follower.catch_up():
            yield block


class Follower:
    """Keeps a position in a topic, from its beginning; `async with` starts and stops it."""

    def __init__(
        self,
        kafka: KafkaSettings,
        topic: str,
        partitions: Collection[int] | None = None,
        *,
        request_timeout: float = 40.0,
    ) -> None:
        self._topic = topic
        self._partitions = partitions
        self._positions: dict[TopicPartition, int] = {}
        self._consumer = AIOKafkaConsumer(
            **aiokafka_options(kafka),
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_partition_fetch_bytes=FETCH_BYTES,
            request_timeout_ms=int(request_timeout * 1000),
        )

    async def start(self) -> None:
        """Connect and stand at the beginning; raises `TransientError`."""
        try:
            await self._consumer.start()
            partitions = self._partitions
            if partitions is None:
                partitions = await self._known_partitions()
            tps = [TopicPartition(self._topic, partition) for partition in partitions]
            self._positions = await self._consumer.beginning_offsets(tps)
        except KafkaError as error:
            await self._consumer.stop()
            raise _unreadable(self._topic, error) from error
        self._consumer.assign(tps)
        for tp, offset in self._positions.items():
            self._consumer.seek(tp, offset)
        self._consumer.pause(*tps)

    async def stop(self) -> None:
        await self._consumer.stop()

    async def catch_up(self) -> AsyncIterator[Sequence[ConsumerRecord]]:
        """Yield what was written since the last call, up to the end as of now, each block of one partition.

        One round trip when there is nothing new. Raises `TransientError`; then call it again, it goes on
        after the last block it yielded.
        """
        try:
            ends = await self._consumer.end_offsets(list(self._positions))
            behind = {tp for tp, end in ends.items() if self._positions[tp] < end}
            for tp in behind:
                self._consumer.seek(tp, self._positions[tp])
            self._consumer.resume(*behind)
            while behind:
                for tp, records in (
                    await self._consumer.getmany(*behind, timeout_ms=1000, max_records=BLOCK_RECORDS)
                ).items():
                    self._positions[tp] = records[-1].offset + 1
                    yield records
                # The position passes holes and transaction markers too, where no record comes.
                for tp in list(behind):
                    self._positions[tp] = max(self._positions[tp], await self._consumer.position(tp))
                    if self._positions[tp] >= ends[tp]:
                        # The broker would hold a fetch, and the next question for the end behind it.
                        self._consumer.pause(tp)
                        behind.discard(tp)
        except KafkaError as error:
            raise _unreadable(self._topic, error) from error

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def _known_partitions(self) -> Collection[int]:
        partitions: Collection[int] = await self._consumer._client._wait_on_metadata(self._topic)
        return partitions


def _unreadable(topic: str, error: KafkaError) -> TransientError:
    return TransientError(f"topic {topic} cannot be read: {type(error).__name__}", code="transient.kafka")
