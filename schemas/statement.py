"""Keeps what a record of the schemas topic states: the text of a schema, and what messages name it by.

A schema that messages name by its fingerprint is believed for what its text is. What a registry's id stands for
cannot be computed: the first statement of an id holds, for a registry never gives one id to two schemas; so whoever
reads the trail reads it the same way for ever, without the registry.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, MutableMapping
from dataclasses import replace
from functools import cache
from typing import Any, cast, get_args

from inzage.schemas.codec import RecordName, Schema, current, schema_of
from inzage.schemas.errors import ContractError
from inzage.schemas.framing import LARGEST_ID, registry_header, schema_name
from inzage.schemas.resolution import compare


def statement(schema: Schema) -> bytes:
    """The record of the schemas topic that states `schema`."""
    said = {"name": schema.name, "fingerprint": schema.fingerprint, "sha256": schema.sha256, "text": schema.text}
    if schema.registry_id is not None:
        said["registry_id"] = schema.registry_id  # type: ignore[assignment]
    return json.dumps(said).encode()


def statement_key(schema: Schema) -> bytes:
    """The key of that record: what messages name the schema by."""
    return schema_name(schema.header).encode()


def stated(value: bytes | None) -> tuple[Schema, dict[str, Any]]:
    """The schema that a record of the schemas topic states, and the record with each of its fields.

    Raises `ContractError`.
    """
    try:
        said = json.loads(value or b"")
        schema = schema_of(said["name"], said["text"])
        wrong = (said["fingerprint"], said["sha256"]) != (schema.fingerprint, schema.sha256)
        identifier = said.get("registry_id")
        if identifier is not None:
            schema = registered(identifier, said["text"])
            wrong = wrong or said["name"] != schema.name
        elif schema.name in get_args(RecordName):
            schema = _compared(schema)
    except Exception as error:  # fastavro raises whatever the text leads it to
        raise ContractError("the record states no schema", code="contract.schema-unreadable") from error
    if wrong:
        raise ContractError("the text is not the schema it is said to be", code="contract.schema-mismatch")
    return schema, {**said, "registry_id": identifier}


def registered(identifier: int, text: str) -> Schema:
    """The schema that a registry has under `identifier`. Its name is that of our record where its full name is.

    Raises what fastavro and JSON raise for a text that is none, `ValueError` for an identifier that is none.
    """
    if type(identifier) is not int or not 0 <= identifier <= LARGEST_ID:
        raise ValueError("not an identifier of a registry")
    schema = schema_of("", text)
    full_name = str(schema.parsed.get("name", ""))
    schema = replace(schema, name=_records().get(full_name, full_name), header=registry_header(identifier))
    return _compared(schema) if schema.name in get_args(RecordName) else schema


def take_statement(schemas: MutableMapping[bytes, Schema], schema: Schema) -> None:
    """Add what was stated to what is known, by header; what was stated first holds."""
    schemas.setdefault(schema.header, schema)


def full_name(name: RecordName) -> str:
    """The full name of a record of ours."""
    return str(current(name).parsed["name"])


def _compared(schema: Schema) -> Schema:
    reading, refused = compare(schema.parsed, current(cast("RecordName", schema.name)).parsed)
    return replace(schema, reading=reading, refused=refused)


@cache
def _records() -> Mapping[str, RecordName]:
    return {full_name(name): name for name in get_args(RecordName)}
