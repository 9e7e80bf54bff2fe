"""Decides how what was sealed becomes public: one Kafka transaction a round, by the one producer of the cluster.

Its transactional id is fixed, so whoever begins as the sealer fences the one before: what that one still signs never
becomes public.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

from aiokafka import AIOKafkaProducer
from aiokafka.errors import InvalidProducerEpoch, KafkaError, ProducerFenced

from inzage.schemas.emitter.message import Message
from inzage.schemas.errors import InzageError, TransientError
from inzage.schemas.kafka_clients import for_aiokafka
from inzage.schemas.settings import KafkaSettings
from inzage.schemas.topics import CHECKPOINTS, MAX_MESSAGE_BYTES

TRANSACTIONAL_ID = "inzage-sealer"


class FencedError(InzageError):
    """Another sealer began: this one has nothing to say any more."""

    code = "sealer.fenced"


class Publisher:
    """The sealer's producers: transactional for the topic of checkpoints, and a plain one for topics that are sealed
    themselves, whose offsets must have no gaps.
    """

    def __init__(self, kafka: KafkaSettings) -> None:
        common = {**for_aiokafka(kafka), "client_id": "inzage-sealer", "max_request_size": MAX_MESSAGE_BYTES + 1024}
        self._sealing = AIOKafkaProducer(**common, transactional_id=TRANSACTIONAL_ID)
        self._plain = AIOKafkaProducer(**common, enable_idempotence=True)
        self._one_at_a_time = asyncio.Lock()

    async def start(self) -> None:
        """Fence every sealer before; what it had begun to publish is public or gone when this returns."""
        try:
            await self._sealing.start()
            await self._plain.start()
        except KafkaError as error:
            raise TransientError("Kafka takes no producer", code="transient.kafka") from error

    async def stop(self) -> None:
        await self._sealing.stop()
        await self._plain.stop()

    async def publish(self, messages: Sequence[tuple[bytes, bytes]]) -> int:
        """Put records on the topic of checkpoints, all or none; returns the offset of the last.

        Raises `FencedError`, and `TransientError` when nobody knows whether they are public.
        """
        async with self._one_at_a_time:
            try:
                async with self._sealing.transaction():
                    sent = [await self._sealing.send(CHECKPOINTS, value, key, 0) for key, value in messages]
                    offsets = [(await one).offset for one in sent]
                return int(offsets[-1])
            except (ProducerFenced, InvalidProducerEpoch) as error:
                raise FencedError("another sealer has begun", hint="one sealer serves a Kafka cluster") from error
            except KafkaError as error:
                raise TransientError("the checkpoints topic takes nothing", code="transient.kafka") from error

    async def say(self, messages: Iterable[Message]) -> None:
        """Put messages on their own topics; all are acknowledged on return. Raises `TransientError`."""
        try:
            sent = [
                await self._plain.send(said.topic, said.value, said.key, headers=list(said.headers))
                for said in messages
            ]
            for one in sent:
                await one
        except KafkaError as error:
            raise TransientError("Kafka takes no alert", code="transient.kafka") from error
