"""Decides how a record that cannot be read is said to be dead, and says it on the controller's dead-letters topic.

The identifier hashes topic id, partition and offset: a record is one dead letter, however often it is refused.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from inzage.schemas.codec import encode
from inzage.schemas.dead_letters import dead_letter_id
from inzage.schemas.errors import TransientError
from inzage.schemas.topics import MAX_MESSAGE_BYTES, ControllerTopics
from inzage.sinks.block import Unreadable
from inzage.sinks.leaf import read_headers
from inzage.sinks.logs import Log

STAGE = "trail"

_FRAME_BYTES = 4096  # what a record costs beyond key and value


def dead_letter(log: Log, unreadable: Unreadable) -> bytes:
    """The message of a dead letter: the original with its coordinates, and why.

    An original that leaves no room in a message is left out: the trail itself has it.
    """
    leaf, why = unreadable
    record: dict[str, Any] = {
        "dead_letter_id": dead_letter_id(log.topic_id, log.partition, leaf.offset),
        "controller_id": log.topic.controller or "",
        "stage": STAGE,
        "reason": why.code,
        "message": str(why),
        "topic": log.topic.name,
        "partition": log.partition,
        "offset": leaf.offset,
        "timestamp": datetime.fromtimestamp(leaf.timestamp / 1000, UTC),
        "key": leaf.key,
        "value": leaf.value,
        "headers": [{"key": name, "value": value} for name, value in read_headers(leaf.headers)],
    }
    message = encode("dead_letter", record)
    if len(message) + _FRAME_BYTES > MAX_MESSAGE_BYTES:
        message = encode("dead_letter", {**record, "value": None, "headers": []})
    return message


async def produce(producer: AIOKafkaProducer, log: Log, unreadable: Iterable[Unreadable]) -> None:
    """Say that records are dead; all are acknowledged on return. Raises `TransientError`.

    Nothing is said of records on topics that belong to nobody, and of dead letters themselves.
    """
    if log.topic.controller is None:
        return
    topic = ControllerTopics(log.topic.controller).dead_letters
    if log.topic.name == topic:
        return
    try:
        said = [await producer.send(topic, dead_letter(log, one), key=one.leaf.key) for one in unreadable]
        for acknowledged in said:
            await acknowledged
    except KafkaError as error:
        raise TransientError("the dead-letters topic takes nothing", code="transient.kafka") from error
