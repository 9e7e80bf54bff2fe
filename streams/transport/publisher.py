"""Decides when records count as published: when the brokers acknowledged every one of them, all in sync.

Records are laid into whole batches here, which is some forty times faster than sending them one by one
(design D6). A key chooses its partition by murmur2, as in the Java client and in kafka-python: whoever
publishes, everything about one data subject lies on one partition, in the order in which it was published.
"""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from types import TracebackType
from typing import Any, Self

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from aiokafka.partitioner import murmur2

from inzage.schemas.errors import ContractError, TransientError
from inzage.schemas.settings import KafkaSettings
from inzage.schemas.topics import MAX_STATE_BYTES, largest_batch
from inzage.streams.transport.connection import aiokafka_options

BATCH_BYTES = 512 << 10
"""Bytes of one batch: half of what a topic accepts, so that a batch of small records never exceeds it."""


@dataclass(frozen=True, slots=True)
class OutgoingRecord:
    """A record to publish. `partition` None: by the key; without a key any partition, one per `publish`."""

    topic: str
    key: bytes | None = field(repr=False)
    value: bytes | None = field(repr=False)
    headers: tuple[tuple[str, bytes], ...] = field(default=(), repr=False)
    partition: int | None = None


class BatchPublisher:
    """Publishes batches of records; `async with` starts and stops it."""

    def __init__(
        self, kafka: KafkaSettings, *, compression: str | None = None, request_timeout: float = 40.0
    ) -> None:
        self._producer = AIOKafkaProducer(
            **aiokafka_options(kafka),
            acks="all",
            enable_idempotence=True,
            compression_type=compression,
            max_batch_size=BATCH_BYTES,
            max_request_size=2 * MAX_STATE_BYTES,
            request_timeout_ms=int(request_timeout * 1000),
        )

    async def start(self) -> None:
        """Connect; raises `TransientError` when no broker answers."""
        try:
            await self._producer.start()
        except KafkaError as error:
            raise TransientError(f"no broker answers: {type(error).__name__}", code="transient.kafka") from error

    async def stop(self) -> None:
        await self._producer.stop()

    async def publish(self, records: Iterable[OutgoingRecord]) -> None:
        """Publish all `records`, per partition in the given order, and await every acknowledgement.

        Raises `ContractError` before anything is sent when a record exceeds what its topic takes, and
        `TransientError` when any was not acknowledged: some may have been, so publish the same again.
        """
        partitioned = await self._by_partition(records)
        batches = {place: self._build(*place, chosen) for place, chosen in partitioned.items()}
        sending = [asyncio.create_task(self._send(*place, built)) for place, built in batches.items()]
        for outcome in await asyncio.gather(*sending, return_exceptions=True):
            if isinstance(outcome, KafkaError):
                raise TransientError(
                    f"a record was not acknowledged: {type(outcome).__name__}", code="transient.publish"
                ) from outcome
            if isinstance(outcome, BaseException):
                raise outcome

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def _by_partition(self, records: Iterable[OutgoingRecord]) -> dict[tuple[str, int], list[OutgoingRecord]]:
        chosen: defaultdict[tuple[str, int], list[OutgoingRecord]] = defaultdict(list)
        counts: dict[str, int] = {}
        anywhere: dict[str, int] = {}
        for record in records:
            topic, partition = record.topic, record.partition
            if partition is None:
                if topic not in counts:
                    counts[topic] = await self._partition_count(topic)
                    anywhere[topic] = random.randrange(counts[topic])  # noqa: S311 - no secret, it spreads load
                partition = anywhere[topic] if record.key is None else partition_of(record.key, counts[topic])
            chosen[topic, partition].append(record)
        return chosen

    async def _partition_count(self, topic: str) -> int:
        try:
            return len(await self._producer.partitions_for(topic))
        except KafkaError as error:
            raise TransientError(f"topic {topic} is not known to the brokers", code="transient.topic") from error

    def _build(self, topic: str, partition: int, records: Sequence[OutgoingRecord]) -> list[Any]:
        batches = [self._producer.create_batch()]
        for record in records:
            if not _append(batches[-1], record):
                batches.append(self._producer.create_batch())
                _append(batches[-1], record)  # an empty batch takes a record of any size
        for batch in batches:
            batch.close()
            if batch.size() > largest_batch(topic):
                text = f"a record for {topic} exceeds {largest_batch(topic)} bytes"
                raise ContractError(text, code="contract.too-large")
        return batches

    async def _send(self, topic: str, partition: int, batches: Sequence[Any]) -> None:
        acknowledgements = [await self._producer.send_batch(batch, topic, partition=partition) for batch in batches]
        await asyncio.gather(*acknowledgements)


@lru_cache(maxsize=1 << 16)  # a verdict and its violation have one key, and who is spoken of is spoken of again
def partition_of(key: bytes, partitions: int) -> int:
    """The partition of `key` among `partitions`, as Kafka's default partitioner chooses it (murmur2)."""
    return int(murmur2(key) & 0x7FFFFFFF) % partitions


def _append(batch: Any, record: OutgoingRecord) -> bool:
    return batch.append(timestamp=None, key=record.key, value=record.value, headers=list(record.headers)) is not None
