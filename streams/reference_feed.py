"""Keeps a controller's references and the schemas in use up to date with their topics.

Before a batch is judged its worker reads these topics to where they end at that moment: what the broker took in
before an event is known when the event is judged.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from inzage.schemas.codec import Schema, decode, schema_of
from inzage.schemas.errors import ContractError
from inzage.schemas.settings import KafkaSettings
from inzage.schemas.topics import LAW_REFERENCES, SCHEMAS, ControllerTopics
from inzage.streams.dossier.references import References
from inzage.streams.transport.compacted import Follower


@dataclass(slots=True)
class ReferenceFeed:
    """Follows the law's, the controllers' and the schemas topics. `async with` starts and stops it."""

    kafka: KafkaSettings
    references: dict[str, References]
    schemas: dict[bytes, Schema] = field(default_factory=dict)
    refused: int = 0
    _followers: list[tuple[str, Follower]] = field(default_factory=list)

    async def __aenter__(self) -> Self:
        names = {LAW_REFERENCES: "", SCHEMAS: ""}
        names |= {ControllerTopics(controller).references: controller for controller in self.references}
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
        """Read every topic to its end as of now; raises `TransientError` when the brokers do not answer."""
        for topic, follower in self._followers:
            async for block in follower.catch_up():
                for record in block:
                    if topic == SCHEMAS:
                        self._take_schema(record.value)
                    else:
                        self._take_fact(record.value, record.timestamp)

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
            logged = json.loads(value or b"")
            schema = schema_of(logged["name"], logged["text"])
        except (ValueError, KeyError, TypeError):
            self.refused += 1
            return
        self.schemas[schema.header] = schema
