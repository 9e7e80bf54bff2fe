"""Reads the datum of an event as the engine does, or declines it: what is not written as we write it, it must judge.

A datum is read and written again; only when the same bytes come out is it taken. So nobody has to know what the
engine makes of a number in too many bytes, a wrong index of a symbol or bytes that follow: it is asked.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from enum import Enum
from functools import cache
from io import BytesIO
from typing import Any

from fastavro import parse_schema, schemaless_reader, schemaless_writer

from inzage.schemas.codec import Schema
from inzage.streams.screening.column_types import Declined, Type, decline, read_type, within
from inzage.streams.screening.event_fields import Leaf, leaves, leaves_of
from inzage.streams.screening.expressions import Expression, Slots

Event = Mapping[str, Any]
ReadEvent = Callable[[bytes], Event]


@cache
def event_reader(schema: Schema) -> ReadEvent | None:
    """Reads datums written with `schema`; None when some field is not what it is in the current schema."""
    try:
        written = leaves_of(schema.text)
    except (KeyError, IndexError, TypeError, AttributeError):
        return None
    for name, leaf in leaves().items():
        if name in written and (written[name].path, written[name].type) != (leaf.path, leaf.type):
            return None
    source = json.loads(schema.text)
    if not _unions_are_plain(source):
        return None
    parsed = parse_schema(_without_logical_types(source))

    def read(datum: bytes) -> Event:
        event: Event
        try:
            event = schemaless_reader(BytesIO(datum), parsed, None)
            again = BytesIO()
            schemaless_writer(again, parsed, event)
        except Exception as error:  # fastavro raises whatever the bytes lead it to
            raise Declined from error
        return event if again.getvalue() == datum else decline()

    return read


class Condition(Enum):
    """What a datum is, as far as can be told without the engine."""

    SOUND = 1
    """Written as we write it."""
    UNSURE = 2
    BROKEN = 3
    """Ends before its last field, or after it."""


@cache
def condition_of(schema_text: str) -> Callable[[bytes], Condition]:
    """Tells the condition of datums written with a schema."""
    parsed = parse_schema(_without_logical_types(json.loads(schema_text)))

    def look(datum: bytes) -> Condition:
        source, again = BytesIO(datum), BytesIO()
        try:
            event: Any = schemaless_reader(source, parsed, None)
            if source.tell() != len(datum):
                return Condition.BROKEN
            schemaless_writer(again, parsed, event)
        except EOFError:
            return Condition.BROKEN
        except Exception:  # fastavro raises whatever the bytes lead it to
            return Condition.UNSURE
        return Condition.SOUND if again.getvalue() == datum else Condition.UNSURE

    return look


def _unions_are_plain(avro: Any) -> bool:
    """Whether every union is of null and one other type."""
    if isinstance(avro, list):
        return len(avro) == 2 and avro[0] == "null" and not isinstance(avro[1], list) and _unions_are_plain(avro[1])
    if not isinstance(avro, dict):
        return True
    inner = [avro[name] for name in ("items", "values") if name in avro]
    inner += [field["type"] for field in avro.get("fields", ())]
    return all(map(_unions_are_plain, (*inner, *([] if isinstance(avro["type"], str) else [avro["type"]]))))


def _without_logical_types(avro: Any) -> Any:
    if isinstance(avro, dict):
        return {name: _without_logical_types(value) for name, value in avro.items() if name != "logicalType"}
    return [_without_logical_types(item) for item in avro] if isinstance(avro, list) else avro


def leaf_value(leaf: Leaf) -> Expression:
    """A field of the event, which stands in the row's first slot: absent in an older schema is the type's default."""
    kind = read_type(leaf.type)
    steps, read, default = leaf.name.split("."), _reader(kind), kind.default

    def run(row: Slots) -> Any:
        value = row[0]
        for step in steps:
            value = value.get(step)
            if value is None:
                return default
        return read(value)

    return Expression(kind, run)


def _reader(kind: Type) -> Callable[[Any], Any]:
    if kind.name == "DateTime64":
        return within
    if kind.name == "Array":
        return tuple
    if kind.name == "Float64":
        return lambda value: value if value == value else decline()
    return lambda value: value
