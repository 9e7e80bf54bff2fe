"""Reads what was said on the references topics, up to now: what a file is compared with before it is loaded.

The topics themselves are read and not the trail, which may be behind: loading a file twice in a row must say nothing
the second time.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from inzage.console.references.standing import Known
from inzage.schemas.codec import decode
from inzage.schemas.emitter.message import LAW
from inzage.schemas.errors import ContractError
from inzage.schemas.framing import registry_headers
from inzage.schemas.registered import configured_schemas
from inzage.schemas.settings import KafkaSettings, SchemaRegistrySettings
from inzage.schemas.topics import LAW_REFERENCES, ControllerTopics
from inzage.sinks.schema_log import SchemaLog
from inzage.streams.transport.compacted import read_to_end


async def known_on_topics(
    kafka: KafkaSettings, controllers: Iterable[str], registry: SchemaRegistrySettings | None = None
) -> tuple[list[Known], int]:
    """The reference facts of `controllers` (LAW is one), by when they became known, and how many cannot be read.

    Raises `TransientError` when the brokers do not answer, or a `registry` that must be asked.
    """
    schemas = SchemaLog(kafka, configured_schemas(registry))
    await schemas.look_up()
    known: list[Known] = []
    unreadable = 0
    for topic in sorted({topic_of(controller) for controller in controllers}):
        async for block in read_to_end(kafka, topic):
            unknown = registry_headers((record.value for record in block), schemas.schemas)
            if unknown:
                await schemas.look_up(unknown)
            for record in block:
                try:
                    schema, fact = decode(record.value, also=schemas.schemas)
                except ContractError:
                    unreadable += 1  # it stands in the trail as a dead letter already
                    continue
                if schema.name == "reference":
                    known.append(Known(fact, datetime.fromtimestamp(record.timestamp / 1000, UTC)))
    return sorted(known, key=lambda one: one.known_at), unreadable


def topic_of(controller: str) -> str:
    """The topic on which the references of a controller stand."""
    return LAW_REFERENCES if controller.upper() == LAW else ControllerTopics(controller).references
