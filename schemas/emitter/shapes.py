"""Encodes an activity without a step for each absent field; the bytes are those of `codec.encode`.

An activity has some hundred fields that are usually absent, and each is one zero byte. A shape is the set of fields
that are present; for each a schema is made in which every run of absent fields is one constant of that length, and
the mark that a field is present is part of it. Fastavro writes the rest. An upstream system has few shapes; after
`MOST_SHAPES` the others are encoded plainly.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from typing import Any

from fastavro import parse_schema, schemaless_writer

from inzage.schemas.codec import current, encode

MOST_SHAPES = 256
_PRESENT = b"\x02"  # the second branch of a union with null, as a zigzag number

_shapes: dict[tuple[str, ...], _Shape] = {}


@dataclass(frozen=True, slots=True)
class _Shape:
    schema: Any
    constants: Mapping[str, bytes]


def encode_activity(record: Mapping[str, Any]) -> bytes:
    """The message for an activity; raises `ContractError` when it does not fit the schema."""
    present = tuple([name for name, value in record.items() if value is not None and value != [] and value != {}])
    shape = _shapes.get(present)
    if shape is None:
        if len(_shapes) >= MOST_SHAPES:
            return encode("activity", record)
        shape = _shapes[present] = _shape(frozenset(present))
    buffer = BytesIO()
    buffer.write(current("activity").header)
    try:
        schemaless_writer(buffer, shape.schema, {**record, **shape.constants})
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError):
        return encode("activity", record)  # it names what does not fit
    return buffer.getvalue()


def _shape(present: frozenset[str]) -> _Shape:
    fields: list[dict[str, Any]] = []
    constants: dict[str, bytes] = {}
    pending = b""
    for field in _source()["fields"]:
        kind = field["type"]
        nullable = isinstance(kind, list)
        if field["name"] not in present and (nullable or _may_be_empty(kind)):
            pending += b"\0"
            continue
        pending += _PRESENT if nullable else b""
        if pending:
            fields.append(_constant(constants, pending))
            pending = b""
        fields.append({"name": field["name"], "type": kind[1] if nullable else kind})
    if pending:
        fields.append(_constant(constants, pending))
    shape = _Spelling().spell({"type": "record", "name": "inzage.Shape", "fields": fields})
    return _Shape(parse_schema(shape), constants)


def _constant(constants: dict[str, bytes], value: bytes) -> dict[str, Any]:
    name = f"_{len(constants)}"
    constants[name] = value
    return {"name": name, "type": {"type": "fixed", "name": f"inzage.Constant{name}", "size": len(value)}}


def _may_be_empty(kind: Any) -> bool:
    return isinstance(kind, dict) and kind["type"] in ("array", "map")


@cache
def _source() -> dict[str, Any]:
    source: dict[str, Any] = json.loads(current("activity").text)
    return source


class _Spelling:
    """Spells a named type out where a shape names it first: the field that did so in the schema may be absent."""

    def __init__(self) -> None:
        self._spelled: set[str] = set()

    def spell(self, avro: Any) -> Any:
        if isinstance(avro, str) and avro in _named() and avro not in self._spelled:
            return self.spell(_named()[avro])
        if isinstance(avro, list):
            return [self.spell(branch) for branch in avro]
        if not isinstance(avro, dict):
            return avro
        self._spelled.add(_full(avro))
        parts: dict[str, Any] = {}
        if "fields" in avro:
            parts["fields"] = [{**field, "type": self.spell(field["type"])} for field in avro["fields"]]
        if "items" in avro:
            parts["items"] = self.spell(avro["items"])
        return {**avro, **parts}


@cache
def _named() -> dict[str, Any]:
    found: dict[str, Any] = {}

    def collect(avro: Any) -> None:
        if isinstance(avro, list):
            for branch in avro:
                collect(branch)
        elif isinstance(avro, dict):
            if "name" in avro and "type" in avro and avro["type"] in ("record", "enum"):
                found[_full(avro)] = avro
            for field in avro.get("fields", ()):
                collect(field["type"])
            collect(avro.get("items"))

    collect(_source())
    return found


def _full(avro: Mapping[str, Any]) -> str:
    return f"{avro.get('namespace', '')}.{avro.get('name', '')}"
