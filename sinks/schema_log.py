"""Keeps the schemas that others wrote with: from the schemas topic, and from a registry when one is configured.

Asked is when a schema is met that is not known: first the topic, then the registry, whose answer is said on the
topic, so that the trail is read for ever without any registry.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from inzage.schemas.codec import Schema
from inzage.schemas.errors import ContractError, TransientError
from inzage.schemas.framing import registry_id
from inzage.schemas.kafka_clients import for_aiokafka
from inzage.schemas.registered import RegisteredSchemas
from inzage.schemas.settings import KafkaSettings
from inzage.schemas.statement import stated, take_statement
from inzage.schemas.topics import SCHEMAS

LOOK_AGAIN_AFTER = 5.0  # seconds: a stream of records of an unknown schema must not read the topic each time
_MOST_SOUGHT = 10_000

Say = Callable[[Schema], Awaitable[None]]
"""Puts the statement of a schema on the schemas topic; on return it is acknowledged."""


class SchemaLog:
    """The schemas of the topic by the header of their messages.

    With `registry` what the topic lacks is looked up there, and said by `say`.
    """

    def __init__(
        self, kafka: KafkaSettings, registry: RegisteredSchemas | None = None, say: Say | None = None
    ) -> None:
        self._kafka = kafka
        self._registry = registry
        self._say = say
        self._schemas: dict[bytes, Schema] = {}
        self._sought: dict[bytes, float] = {}

    @property
    def schemas(self) -> Mapping[bytes, Schema]:
        return self._schemas

    async def look_up(self, headers: Iterable[bytes] = ()) -> None:
        """Find the schemas that `headers` name; what is not found is looked for again after `LOOK_AGAIN_AFTER`.

        Without any the topic is read. Raises `TransientError` when Kafka or the registry does not answer.
        """
        now = time.monotonic()
        wanted = set(headers)
        due = {header for header in wanted if now - self._sought.get(header, -LOOK_AGAIN_AFTER) >= LOOK_AGAIN_AFTER}
        if wanted and not due:
            return
        await self._read()
        if self._registry is not None:
            await self._ask(self._registry, due - self._schemas.keys())
        if len(self._sought) > _MOST_SOUGHT:
            self._sought.clear()
        self._sought |= dict.fromkeys(due, time.monotonic())

    async def _ask(self, registry: RegisteredSchemas, headers: Iterable[bytes]) -> None:
        identifiers = [found for header in headers if (found := registry_id(header)) is not None]
        if not identifiers:
            return
        for schema in await asyncio.to_thread(registry.look_up, identifiers):
            if self._say is not None:
                await self._say(schema)
            take_statement(self._schemas, schema)

    async def _read(self) -> None:
        consumer = AIOKafkaConsumer(**for_aiokafka(self._kafka), enable_auto_commit=False)
        try:
            await consumer.start()
            await self._read_to_end(consumer)
        except KafkaError as error:
            raise TransientError("the schemas topic cannot be read", code="transient.kafka") from error
        finally:
            await consumer.stop()

    async def _read_to_end(self, consumer: AIOKafkaConsumer) -> None:
        partition = TopicPartition(SCHEMAS, 0)
        consumer.assign([partition])
        await consumer.seek_to_beginning(partition)
        end = (await consumer.end_offsets([partition]))[partition]
        while await consumer.position(partition) < end:
            for records in (await consumer.getmany(partition, timeout_ms=500)).values():
                for record in records:
                    try:
                        schema = stated(record.value)[0]
                    except ContractError:
                        continue  # the sink says so where it keeps this very record
                    take_statement(self._schemas, schema)
