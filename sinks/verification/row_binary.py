"""Decides which ClickHouse type a field of an Avro schema has in the trail, and the bytes of a value of it.

The bytes are those of ClickHouse's RowBinary: a row is its columns laid end to end, so two rows are equal when
their bytes are. Encoded once here in Python, so that neither the database nor its driver is asked what is right.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from struct import Struct
from typing import Any

Encode = Callable[[Any], bytes]

_LONG, _DOUBLE = Struct("<q"), Struct("<d")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the trail: its type as ClickHouse writes it, and the bytes of a value as fastavro gives it."""

    type: str
    encode: Encode


def columns_of(schema_text: str) -> dict[str, Column]:
    """The columns of a table whose rows are the fields of an Avro record."""
    return _Types().fields(json.loads(schema_text))


def text_column() -> Column:
    """A `String`; values are text or bytes."""
    return Column("String", _text)


def bool_column() -> Column:
    return Column("Bool", _bool)


def number_column() -> Column:
    """A `Nullable(Int64)`."""
    return Column("Nullable(Int64)", _nullable(_LONG.pack))


def unsigned_column() -> Column:
    """A `UInt32`."""
    return Column("UInt32", lambda value: int(value).to_bytes(4, "little"))


def micros_column() -> Column:
    """A time in microseconds, UTC."""
    return Column("DateTime64(6, 'UTC')", _micros)


class _Types:
    """Types of one schema; a named type is spelled out once and named afterwards."""

    def __init__(self) -> None:
        self._named: dict[str, Column] = {}

    def fields(self, record: Mapping[str, Any]) -> dict[str, Column]:
        return {field["name"]: self.of(field["type"]) for field in record["fields"]}

    def of(self, avro: Any) -> Column:
        if isinstance(avro, str):
            return _PLAIN.get(avro) or self._named[avro.rpartition(".")[2]]
        if isinstance(avro, list):
            return self._union(avro)
        if logical := avro.get("logicalType"):
            return _LOGICAL[logical]
        kind = avro["type"]
        if kind == "array":
            item = self.of(avro["items"])
            return Column(f"Array({item.type})", _array(item.encode))
        if kind == "map":
            value = self.of(avro["values"])
            return Column(f"Map(String, {value.type})", _map(value.encode))
        if kind == "record":
            made = _tuple(self.fields(avro))
        elif kind == "enum":
            made = text_column()
        else:
            return self.of(kind)
        self._named[avro["name"]] = made
        return made

    def _union(self, branches: list[Any]) -> Column:
        if branches[0] != "null" or len(branches) != 2:
            raise ValueError("a union that is not `T or null` has no column")
        inner = self.of(branches[1])
        if inner.type.startswith(("Array", "Map")):  # ClickHouse has no null of these
            return Column(inner.type, lambda value: inner.encode(value or ()))
        return Column(f"Nullable({inner.type})", _nullable(inner.encode))


def _text(value: str | bytes) -> bytes:
    encoded = value.encode() if isinstance(value, str) else value
    return _length(len(encoded)) + encoded


def _bool(value: bool) -> bytes:
    return b"\x01" if value else b"\x00"


def _micros(value: datetime) -> bytes:
    return _LONG.pack((value - _EPOCH) // _MICROSECOND)


def _millis(value: datetime) -> bytes:
    return _LONG.pack((value - _EPOCH) // _MILLISECOND)


def _length(count: int) -> bytes:
    """Unsigned LEB128."""
    out = bytearray()
    while count > 0x7F:
        out.append((count & 0x7F) | 0x80)
        count >>= 7
    out.append(count)
    return bytes(out)


def _nullable(encode: Encode) -> Encode:
    return lambda value: b"\x01" if value is None else b"\x00" + encode(value)


def _array(encode: Encode) -> Encode:
    return lambda values: _length(len(values)) + b"".join([encode(value) for value in values])


def _map(encode: Encode) -> Encode:
    def encoded(values: Mapping[str, Any]) -> bytes:
        pairs = dict(values)
        return _length(len(pairs)) + b"".join([_text(name) + encode(value) for name, value in pairs.items()])

    return encoded


def _tuple(fields: Mapping[str, Column]) -> Column:
    listed = list(fields.items())
    kind = ", ".join(f"{name} {column.type}" for name, column in listed)
    return Column(f"Tuple({kind})", lambda value: b"".join([column.encode(value[name]) for name, column in listed]))


_PLAIN = {
    "string": text_column(),
    "bytes": text_column(),
    "long": Column("Int64", _LONG.pack),
    "int": Column("Int32", Struct("<i").pack),
    "double": Column("Float64", _DOUBLE.pack),
    "float": Column("Float32", Struct("<f").pack),
    "boolean": bool_column(),
}
_LOGICAL = {"timestamp-micros": micros_column(), "timestamp-millis": Column("DateTime64(3, 'UTC')", _millis)}
