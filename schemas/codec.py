"""Turns records of the contract into the bytes on Kafka and back: Avro single-object encoding.

Two marker bytes, the 64-bit Rabin fingerprint of the schema's canonical form (little-endian), the datum. The
schema is content-addressed: nothing to operate, nothing mutable. Specification: Avro 1.12, single-object encoding.
Confluent framing (a zero byte and a four-byte id) is told apart by its first byte and refused by name for now.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from io import BytesIO
from typing import Any, Literal, cast, get_args

from fastavro import parse_schema, schemaless_reader, schemaless_writer
from fastavro.schema import fingerprint, to_parsing_canonical_form

from inzage.schemas.errors import ContractError

RecordName = Literal[
    "activity",
    "fact",
    "reference",
    "verdict",
    "judged",
    "dead_letter",
    "review",
    "heartbeat",
    "incompleteness",
    "dossier",
    "checkpoint",
    "attestation",
    "pruning",
    "pruning_request",
]

MARKER = b"\xc3\x01"  # Avro 1.12, single-object encoding
HEADER_BYTES = 10
_CONFLUENT_MAGIC = 0


@dataclass(frozen=True, slots=True)
class Schema:
    """One schema that can be written or read. `text` is the full schema as logged; `header` starts each message."""

    name: str
    text: str
    parsed: dict[str, Any] = field(repr=False, compare=False)
    header: bytes

    @property
    def fingerprint(self) -> str:
        """The CRC-64-AVRO fingerprint, 16 hexadecimal digits, as it stands in the message."""
        return self.header[2:].hex()

    @property
    def sha256(self) -> str:
        """SHA-256 of the full text: the canonical form drops logical types and defaults, this does not."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def schema_of(name: str, text: str) -> Schema:
    """Read a schema from its JSON text."""
    source = json.loads(text)
    canonical = to_parsing_canonical_form(source)
    digest = bytes.fromhex(fingerprint(canonical, "CRC-64-AVRO"))
    return Schema(name, text, cast("dict[str, Any]", parse_schema(source)), MARKER + digest)


@cache
def current(name: RecordName) -> Schema:
    """The schema that this version writes for `name`."""
    path = files("inzage.schemas").joinpath("avro", f"{name}.avsc")
    return schema_of(name, path.read_text(encoding="utf-8"))


@cache
def known() -> Mapping[bytes, Schema]:
    """Every schema this version can read, released ones included, by the ten bytes a message starts with."""
    schemas = [current(name) for name in get_args(RecordName)]
    released = files("inzage.schemas").joinpath("avro", "released")
    for folder in released.iterdir() if released.is_dir() else ():
        schemas += [
            schema_of(path.name.removesuffix(".avsc"), path.read_text(encoding="utf-8"))
            for path in folder.iterdir()
            if path.name.endswith(".avsc")
        ]
    return {schema.header: schema for schema in reversed(schemas)}


def encode(name: RecordName, record: Mapping[str, Any]) -> bytes:
    """The message for `record`; raises `ContractError` when the record does not fit the schema."""
    schema = current(name)
    buffer = BytesIO()
    buffer.write(schema.header)
    try:
        schemaless_writer(buffer, schema.parsed, record)
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
        raise ContractError(f"{name}: does not fit its schema", code="contract.unencodable") from error
    return buffer.getvalue()


def split(message: bytes | None, *, also: Mapping[bytes, Schema] | None = None) -> Schema:
    """The schema a message was written with; the datum is `message[HEADER_BYTES:]`.

    `also` holds further schemas, for example those read from the schemas topic.
    Raises `ContractError` for what is no message of this contract.
    """
    if message is None:
        raise ContractError("the record has no value", code="contract.empty")
    schema = known().get(message[:HEADER_BYTES]) or (also or {}).get(message[:HEADER_BYTES])
    if schema is not None:
        return schema
    if message[:2] == MARKER and len(message) >= HEADER_BYTES:
        raise ContractError(f"unknown schema {message[2:10].hex()}", code="contract.unknown-schema")
    if message[:1] == bytes([_CONFLUENT_MAGIC]) and len(message) > 5:
        raise ContractError("Confluent framing needs a schema registry", code="contract.confluent-framing")
    raise ContractError("the bytes are not Avro single-object encoding", code="contract.undecodable")


def decode(message: bytes | None, *, also: Mapping[bytes, Schema] | None = None) -> tuple[Schema, dict[str, Any]]:
    """The schema and the record of a message, resolved to the current schema of the same name.

    Raises `ContractError` for unknown schemas, truncated data and trailing bytes.
    """
    schema = split(message, also=also)
    buffer = BytesIO(message or b"")
    buffer.seek(HEADER_BYTES)
    reader = current(cast("RecordName", schema.name)).parsed if schema.name in get_args(RecordName) else None
    try:
        record = schemaless_reader(
            buffer,
            schema.parsed,
            reader if reader is not schema.parsed else None,
            return_record_name=True,
            return_record_name_override=True,
        )
    except Exception as error:  # fastavro raises whatever the bytes lead it to
        raise ContractError(f"{schema.name}: the datum cannot be read", code="contract.undecodable") from error
    if buffer.read(1):
        raise ContractError(f"{schema.name}: bytes follow the datum", code="contract.trailing-bytes")
    return schema, cast("dict[str, Any]", record)
