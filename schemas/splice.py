"""Lays Avro datums end to end into one object-container block, without decoding them.

An Avro record is its fields laid end to end, so a batch of datums of one schema becomes a container by
concatenation, and a wrapper record is made by putting encoded extra fields before each datum. ClickHouse decodes
the block natively. Specification: Avro 1.12, object container files.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from inzage.schemas.codec import Schema

_NOT_FOR_DECODING = frozenset({"doc", "dpv", "default", "revealing"})
_SYNC = b"inzage-block-end"  # sixteen bytes; a container of one block never resynchronises


def long_bytes(number: int) -> bytes:
    """An Avro long: zigzag, then seven bits a byte, least significant first."""
    if number >= _LOW_NUMBERS:  # offsets and times: the two low bytes from a table, the rest seldom changes
        return _LOW[number & (_LOW_NUMBERS - 1)] + varint(number >> 13)
    return varint((number << 1) ^ (number >> 63))


@lru_cache(maxsize=4096)
def varint(rest: int) -> bytes:
    """A whole number, seven bits a byte, least significant first."""
    out = bytearray()
    while rest > 0x7F:
        out.append((rest & 0x7F) | 0x80)
        rest >>= 7
    out.append(rest)
    return bytes(out)


_LOW_NUMBERS = 1 << 13
_LOW = [bytes((0x80 | (low << 1 & 0x7F), 0x80 | low >> 6)) for low in range(_LOW_NUMBERS)]


def bytes_bytes(value: bytes) -> bytes:
    """An Avro bytes or string: its length, then itself."""
    return long_bytes(len(value)) + value


def wrapped(schema: Schema, before: Sequence[dict[str, Any]], after: Sequence[dict[str, Any]] = ()) -> str:
    """The text of a schema whose records are the fields `before`, those of `schema`, then those `after`.

    A field after the datum that repeats one before it tells whether the datum ended where it should: a datum with
    bytes too many or too few would shift everything behind it.

    Documentation is left out: the text stands in every container, and ClickHouse parses it each time.
    """
    source = _lean(json.loads(schema.text))
    return json.dumps({**source, "name": f"{source['name']}Row", "fields": [*before, *source["fields"], *after]})


def _lean(avro: Any) -> Any:
    if isinstance(avro, dict):
        return {key: _lean(value) for key, value in avro.items() if key not in _NOT_FOR_DECODING}
    return [_lean(item) for item in avro] if isinstance(avro, list) else avro


def container(schema_text: str, parts: Iterable[bytes], count: int) -> bytes:
    """An object container of one block of `count` records, whose bytes are `parts` laid end to end."""
    block = b"".join(parts)
    return b"".join((container_header(schema_text), long_bytes(count), long_bytes(len(block)), block, _SYNC))


def container_header(schema_text: str) -> bytes:
    """What an object container starts with: magic, the schema and the codec as metadata, the sync marker."""
    metadata = {b"avro.schema": schema_text.encode(), b"avro.codec": b"null"}
    pairs = b"".join(bytes_bytes(key) + bytes_bytes(value) for key, value in metadata.items())
    return b"".join((b"Obj\x01", long_bytes(len(metadata)), pairs, b"\x00", _SYNC))
