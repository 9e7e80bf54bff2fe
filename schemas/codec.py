"""Turns records of the contract into the bytes on Kafka and back: a header that names the schema, then the datum.

Written is Avro single-object encoding, whose schema is content-addressed: nothing to operate, nothing mutable. Where
a schema registry is configured the emitter puts the registry's header in its place. Read are both (see `framing`);
what a registry's id stands for is said on the schemas topic (see `statement`).
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
from inzage.schemas.framing import (
    header_of,
    names_schema,
    registry_id,
    schema_name,
    single_object_header,
)
from inzage.schemas.resolution import Reading

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


@dataclass(frozen=True, slots=True)
class Schema:
    """One schema that can be written or read. `text` is the full schema as logged; `header` starts each message.

    `fingerprint` is the CRC-64-AVRO of the canonical form, 16 hexadecimal digits, as single-object headers have it.
    `reading` says how its datums become records of ours, `refused` why none can, where none can.
    """

    name: str
    text: str
    parsed: dict[str, Any] = field(repr=False, compare=False)
    header: bytes
    fingerprint: str
    reading: Reading = Reading.BY_NAME
    refused: str = ""

    @property
    def registry_id(self) -> int | None:
        """The id that messages name it by, None for those that name its fingerprint."""
        return registry_id(self.header)

    @property
    def sha256(self) -> str:
        """SHA-256 of the full text: the canonical form drops logical types and defaults, this does not."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def schema_of(name: str, text: str) -> Schema:
    """Read a schema from its JSON text; its header is that of single-object encoding."""
    source = json.loads(text)
    canonical = to_parsing_canonical_form(source)
    digest: str = fingerprint(canonical, "CRC-64-AVRO")
    header = single_object_header(bytes.fromhex(digest))
    return Schema(name, text, cast("dict[str, Any]", parse_schema(source)), header, digest)


@cache
def current(name: RecordName) -> Schema:
    """The schema that this version writes for `name`."""
    path = files("inzage.schemas").joinpath("avro", f"{name}.avsc")
    return schema_of(name, path.read_text(encoding="utf-8"))


@cache
def known() -> Mapping[bytes, Schema]:
    """Every schema this version can read, released ones included, by the header of its messages."""
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
    return _written(name, record, current(name).header)


def encode_datum(name: RecordName, record: Mapping[str, Any]) -> bytes:
    """What follows the header in the message for `record`; raises `ContractError` as `encode` does."""
    return _written(name, record, b"")


def _written(name: RecordName, record: Mapping[str, Any], header: bytes) -> bytes:
    schema = current(name)
    buffer = BytesIO()
    buffer.write(header)
    try:
        schemaless_writer(buffer, schema.parsed, record)
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
        raise ContractError(f"{name}: does not fit its schema", code="contract.unencodable") from error
    return buffer.getvalue()


def split(message: bytes | None, *, also: Mapping[bytes, Schema] | None = None) -> Schema:
    """The schema a message was written with; the datum is what follows its `header`.

    `also` holds further schemas, for example those read from the schemas topic, by header.
    Raises `ContractError` for what is no message of this contract.
    """
    if message is None:
        raise ContractError("the record has no value", code="contract.empty")
    return schema_at(header_of(message), also)


def schema_at(header: bytes, also: Mapping[bytes, Schema] | None = None) -> Schema:
    """The schema of messages that begin with `header`; raises `ContractError`."""
    schema = known().get(header) or (also or {}).get(header)
    if schema is None:
        raise _unknown(header)
    if schema.refused:
        raise ContractError(f"{schema_name(header)}: {schema.refused}", code="contract.incompatible-schema")
    return schema


def _unknown(header: bytes) -> ContractError:
    if not names_schema(header):
        text = "the bytes are neither Avro single-object encoding nor in a registry's framing"
        return ContractError(text, code="contract.undecodable")
    identifier = registry_id(header)
    if identifier is None:
        return ContractError(f"unknown schema {schema_name(header)}", code="contract.unknown-schema")
    return ContractError(
        f"the schema {identifier} of a registry is not known: the registry does not have it, or none is configured",
        code="contract.unknown-registry-id",
    )


def decode(message: bytes | None, *, also: Mapping[bytes, Schema] | None = None) -> tuple[Schema, dict[str, Any]]:
    """The schema and the record of a message, resolved to the current schema of the same name.

    Raises `ContractError` for unknown schemas, truncated data and trailing bytes.
    """
    schema = split(message, also=also)
    return schema, read_datum(schema, (message or b"")[len(schema.header) :])


def read_datum(schema: Schema, datum: bytes) -> dict[str, Any]:
    """The record of a datum of `schema`, resolved to the current schema of the same name; raises `ContractError`."""
    buffer = BytesIO(datum)
    writer, reader = schema.parsed, None
    if schema.name in get_args(RecordName):
        ours = current(cast("RecordName", schema.name)).parsed
        if schema.reading is Reading.ALIKE:
            writer = ours
        elif writer is not ours:
            reader = ours
    try:
        record = schemaless_reader(
            buffer,
            writer,
            reader,
            return_record_name=True,
            return_record_name_override=True,
        )
    except Exception as error:  # fastavro raises whatever the bytes lead it to
        raise ContractError(f"{schema.name}: the datum cannot be read", code="contract.undecodable") from error
    if buffer.read(1):
        raise ContractError(f"{schema.name}: bytes follow the datum", code="contract.trailing-bytes")
    return cast("dict[str, Any]", record)


def datum_for_columns(message: bytes, schema: Schema) -> tuple[Schema, bytes]:
    """The datum of a message as an engine can take it, and its schema; raises `ContractError` when it cannot be read.

    What is written as we write has our schema, whatever its framing; what takes Avro's rules is written anew.
    """
    datum = message[len(schema.header) :]
    if schema.reading is Reading.BY_NAME or schema.name not in get_args(RecordName):
        return schema, datum
    name = cast("RecordName", schema.name)
    if schema.reading is Reading.RESOLVED:
        datum = encode_datum(name, read_datum(schema, datum))
    return current(name), datum


def as_written_here(message: bytes, schema: Schema, record: Mapping[str, Any]) -> bytes:
    """A message that any process of this version reads by itself: the same one, or written anew with our schema.

    `schema` and `record` are what `decode` gave. What is kept as state must not wait for the schemas topic.
    """
    if schema.header in known() or schema.name not in get_args(RecordName):
        return message
    name = cast("RecordName", schema.name)
    if schema.reading is Reading.ALIKE:
        return current(name).header + message[len(schema.header) :]
    return encode(name, record)
