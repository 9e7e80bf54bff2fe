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
from inzage.schemas.settings import KafkaSettings
from inzage.schemas.topics import LAW_REFERENCES, ControllerTopics
from inzage.sinks.schema_log import SchemaLog
from inzage.streams.transport.compacted import read_to_end


async def known_on_topics(kafka: KafkaSettings, controllers: Iterable[str]) -> tuple[list[Known], int]:
    """The reference facts of `controllers` (LAW is one), by when they became known, and how many cannot be read.

    Raises `TransientError` when the brokers do not answer.
    """
    schemas = SchemaLog(kafka)
    await schemas.look_up()
    known: list[Known] = []
    unreadable = 0
    for topic in sorted({topic_of(controller) for controller in controllers}):
        async for block in read_to_end(kafka, topic):
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
