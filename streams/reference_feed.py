"""Keeps a controller's references and the schemas in use up to date with their topics.

Before a batch is judged its worker reads these topics to where they end at that moment: what the broker took in
before an event is known when the event is judged. A schema that only a registry's id names is looked up there once,
and said on the schemas topic.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from inzage.schemas.codec import Schema, decode
from inzage.schemas.errors import ContractError, TransientError
from inzage.schemas.framing import registry_headers, registry_id
from inzage.schemas.registered import RegisteredSchemas
from inzage.schemas.settings import KafkaSettings
from inzage.schemas.statement import stated, statement, statement_key, take_statement
from inzage.schemas.topics import LAW_REFERENCES, SCHEMAS, ControllerTopics
from inzage.streams.dossier.references import References
from inzage.streams.transport.compacted import Follower
from inzage.streams.transport.publisher import OutgoingRecord

WAIT_FOR_REGISTRY = 60.0
"""Seconds that a registry may stay away before the process ends: the batch comes again."""
ASK_EVERY = 1.0  # seconds

Say = Callable[[list[OutgoingRecord]], Awaitable[None]]
"""Publishes records; on return they are acknowledged."""

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class ReferenceFeed:
    """Follows the law's, the controllers' and the schemas topics. `async with` starts and stops it.

    With `registry` schemas are looked up there, and said by `say`.
    """

    kafka: KafkaSettings
    references: dict[str, References]
    registry: RegisteredSchemas | None = None
    say: Say | None = None
    schemas: dict[bytes, Schema] = field(default_factory=dict)
    refused: int = 0
    _followers: list[tuple[str, Follower]] = field(default_factory=list)

    async def __aenter__(self) -> Self:
        names = [SCHEMAS, LAW_REFERENCES]
        names += [ControllerTopics(controller).references for controller in self.references]
        for topic in names:
            follower = Follower(self.kafka, topic)
            await follower.start()
            self._followers.append((topic, follower))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for _, follower in self._followers:
            await follower.stop()

    async def catch_up(self) -> None:
        """Read every topic to its end as of now.

        Raises `TransientError` when the brokers do not answer, or a registry that must be asked.
        """
        facts: list[tuple[bytes | None, int]] = []
        for topic, follower in self._followers:
            async for block in follower.catch_up():
                for record in block:
                    if topic == SCHEMAS:
                        self._take_schema(record.value)
                    else:
                        facts.append((record.value, record.timestamp))
        await self.know(value for value, _ in facts)
        for value, timestamp in facts:
            self._take_fact(value, timestamp)

    async def know(self, messages: Iterable[bytes | None]) -> None:
        """See that the schemas of `messages` are known, as far as they are known anywhere.

        Raises `TransientError` when a registry that must be asked stays away.
        """
        unknown = registry_headers(messages, self.schemas)
        if not unknown:
            return
        for topic, follower in self._followers:
            if topic == SCHEMAS:  # said together with the messages perhaps
                async for block in follower.catch_up():
                    for record in block:
                        self._take_schema(record.value)
        identifiers = [registry_id(header) for header in unknown - self.schemas.keys()]
        if self.registry is None or not identifiers:
            return
        found = await self._asked(self.registry, [one for one in identifiers if one is not None])
        if self.say is not None and found:
            await self.say([OutgoingRecord(SCHEMAS, statement_key(schema), statement(schema)) for schema in found])
        for schema in found:
            take_statement(self.schemas, schema)

    async def _asked(self, registry: RegisteredSchemas, identifiers: list[int]) -> list[Schema]:
        until = time.monotonic() + WAIT_FOR_REGISTRY
        while True:
            try:
                return await asyncio.to_thread(registry.look_up, identifiers)
            except TransientError as error:
                if time.monotonic() >= until:
                    raise
                logger.warning("%s; asked again", error)
                await asyncio.sleep(ASK_EVERY)

    def _take_fact(self, value: bytes | None, timestamp: int) -> None:
        """Take a reference; one that cannot be read is counted here and stands in the trail as it is."""
        try:
            schema, fact = decode(value, also=self.schemas)
        except ContractError:
            self.refused += 1
            return
        if schema.name == "reference":
            known_at = datetime.fromtimestamp(timestamp / 1000, UTC)
            for references in self.references.values():
                references.take(known_at, fact)

    def _take_schema(self, value: bytes | None) -> None:
        try:
            take_statement(self.schemas, stated(value)[0])
        except ContractError:
            self.refused += 1
