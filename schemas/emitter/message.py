"""Makes the Kafka message of what was said: where it goes, its key, its bytes and its CloudEvents headers.

Everything about a person goes to the events topic of the controller, keyed by the reference of the person, so that
what was said about one person stays in order. Facts about organisations and law go to the references topics, keyed
by the fact. Headers follow the CloudEvents Kafka binding, binary mode.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from inzage.schemas.codec import RecordName, current, encode
from inzage.schemas.emitter.identity import new_id
from inzage.schemas.emitter.registry_framing import FRAMED, RegistryFraming
from inzage.schemas.emitter.shapes import encode_activity
from inzage.schemas.errors import ContractError
from inzage.schemas.json_face import Said
from inzage.schemas.statement import statement, statement_key
from inzage.schemas.topics import LAW_REFERENCES, MAX_MESSAGE_BYTES, SCHEMAS, ControllerTopics

LAW = "LAW"
BATCH_OVERHEAD_BYTES = 160  # Kafka record batch header (61), record framing and varints, rounded up

_CONTROLLER = re.compile(r"[A-Za-z0-9._-]{1,100}")

SOURCE_HEADER = "ce_source"
SEQUENCE_HEADER = "ce_sequence"

Headers = list[tuple[str, bytes]]


@dataclass(frozen=True, slots=True)
class Message:
    """One record as it is handed to Kafka; `key` None lets the producer choose a partition."""

    topic: str
    key: bytes | None
    value: bytes
    headers: Headers

    @property
    def size(self) -> int:
        """Bytes it takes up on the topic, uncompressed, at most."""
        named = sum(len(name) + len(value) for name, value in self.headers)
        return len(self.value) + len(self.key or b"") + named + BATCH_OVERHEAD_BYTES


def can_have_topics(controller: str) -> bool:
    """Whether Kafka takes topics with this name in them."""
    return _CONTROLLER.fullmatch(controller) is not None


def topic_of(said: Said) -> str:
    """The topic on which `said` belongs; raises `ContractError` for a controller that cannot have one."""
    controller = said.record["controller_id"]
    if not can_have_topics(controller):
        raise ContractError("controller_id: letters, digits, . _ and - only", code="contract.controller")
    if said.kind == "reference":
        return LAW_REFERENCES if controller == LAW else ControllerTopics(controller).references
    if controller == LAW:
        raise ContractError("controller_id: a person's data have a controller, not LAW", code="contract.controller")
    return ControllerTopics(controller).events


def message_of(said: Said, framing: RegistryFraming | None = None) -> Message:
    """The message of `said`, single-object encoded or in a registry's `framing`.

    Raises `ContractError` when it is too large, naming its size, and what `framing` raises.
    """
    record = said.record
    if said.kind == "activity":
        key, identifier, said_at = record["subject"]["pseudonym"], record["event_id"], record["occurred_at"]
        kind = record["event_type"]
    else:
        identifier, said_at = record["fact_id"], record["recorded_at"]
        key = record["subject"] if said.kind == "fact" else identifier
        kind = record["body"][0].removeprefix("inzage.v1.")
    headers = _headers(identifier, kind, said_at, record)
    value = encode_activity(record) if said.kind == "activity" else encode(said.kind, record)
    if framing is not None:
        value = framing.framed(said.kind, value)
    message = Message(topic_of(said), key.encode(), value, headers)
    if message.size > MAX_MESSAGE_BYTES:
        text = f"{said.kind}: {message.size} bytes, more than the {MAX_MESSAGE_BYTES} that a topic takes"
        raise ContractError(text, code="contract.too-large")
    return message


def heartbeat_message(beat: Mapping[str, Any], framing: RegistryFraming | None = None) -> Message:
    """The message of a heartbeat: on the events topic, all of one instance in order, and without a number."""
    instance = beat["source_instance"]
    headers = _headers(new_id(), "Heartbeat", beat["at"], beat)
    topic = ControllerTopics(beat["controller_id"]).events
    value = encode("heartbeat", beat)
    return Message(topic, instance.encode(), framing.framed("heartbeat", value) if framing else value, headers)


def schema_message(kind: RecordName, framing: RegistryFraming | None = None) -> Message:
    """The message that logs the schema with which records of `kind` are written, by what messages name it by."""
    schema = framing.schema(kind) if framing and kind in FRAMED else current(kind)
    return Message(SCHEMAS, statement_key(schema), statement(schema), [])


def dead_letter_of(
    controller: str, source: str, original: bytes | None, error: ContractError, line: int
) -> tuple[str, Message]:
    """Identifier and message of a line that could not be said; the same line of the same source has the same id."""
    coordinates = f"emitter/{controller}/{source}/{line}/".encode()
    identifier = hashlib.sha256(coordinates + (original or b"")).hexdigest()
    record = {
        "dead_letter_id": identifier,
        "controller_id": controller,
        "stage": "emitter",
        "reason": error.code,
        "message": str(error),
        "topic": "",  # it never stood on one: the offset is the number of the line
        "partition": -1,
        "offset": line,
        "timestamp": datetime.now(UTC),
        "key": None,
        "value": original,
        "headers": [{"key": "source_system", "value": source.encode()}],
    }
    message = Message(ControllerTopics(controller).dead_letters, None, encode("dead_letter", record), [])
    if message.size > MAX_MESSAGE_BYTES and original is not None:
        return identifier, dead_letter_of(controller, source, None, error, line)[1]
    return identifier, message


def _headers(identifier: str, kind: str, said_at: datetime, record: Mapping[str, Any]) -> Headers:
    source = f"{record['source_system']}/{record['source_instance']}"
    headers = [
        ("ce_specversion", b"1.0"),
        ("ce_id", identifier.encode()),
        ("ce_type", f"inzage.v1.{kind}".encode()),
        (SOURCE_HEADER, source.encode()),
        ("ce_time", said_at.isoformat().encode()),
    ]
    number = record.get("source_sequence")
    if number is not None:  # the extension `sequence`: who does not decode Avro still sees what is missing
        headers.append((SEQUENCE_HEADER, b"%d" % number))
    return headers
