"""Decides what a value says, from its bytes and the schema in the proof alone: the same whatever version reads it."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import date, datetime
from functools import lru_cache
from io import BytesIO
from typing import Any

from fastavro import schemaless_reader

from inzage.schemas.codec import Schema
from inzage.schemas.errors import ContractError, TamperError
from inzage.schemas.framing import header_of
from inzage.schemas.statement import stated
from inzage.sinks.proof.record import Record


class DecodingError(TamperError):
    """The value is not of the schema that the proof brings."""

    code = "tamper.decoding"


def stated_schema(record: Record) -> Schema:
    """The schema that a record of the schemas topic states: its text counts, and must have its fingerprint.

    Raises `DecodingError`.
    """
    try:
        return _stated(record.value)
    except ContractError as error:
        raise DecodingError(f"the record of the schema: {error}") from error


@lru_cache(maxsize=64)
def _stated(value: bytes | None) -> Schema:
    """A text of tens of kilobytes takes some milliseconds to read."""
    return stated(value)[0]


def event_json(record: Record, schema: Schema) -> str:
    """The value as JSON: fields in the schema's order, times as RFC 3339, bytes in base64. Raises `DecodingError`."""
    value = record.value or b""
    if header_of(value) != schema.header:
        raise DecodingError("the value was written with another schema")
    reading = BytesIO(value[len(schema.header) :])
    try:
        said = schemaless_reader(
            reading, schema.parsed, None, return_record_name=True, return_record_name_override=True
        )
    except Exception as error:  # fastavro raises whatever the bytes lead it to
        raise DecodingError("the value cannot be read with its schema") from error
    if reading.read(1):
        raise DecodingError("bytes follow the value")
    name = schema.parsed.get("name", schema.name).rpartition(".")[2]
    return json.dumps({name: _plain(said)}, ensure_ascii=False, indent=1)


def schema_known_here(value: bytes | None) -> Schema | None:
    """The schema of `value` as this installation of the package has it."""
    from inzage.schemas.codec import split

    try:
        return split(value)
    except ContractError:
        return None


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, tuple):  # a branch of a union: its name, the record
        return {value[0].rpartition(".")[2]: _plain(value[1])}
    if isinstance(value, list):
        return [_plain(part) for part in value]
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value
