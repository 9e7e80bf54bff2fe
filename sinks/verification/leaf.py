"""Decides the leaf hash of a row, from docs/design/leaf.md and nothing else: a second encoder beside the writer's.

A whole block is hashed at once, column by column, since that is what takes the time.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from itertools import repeat
from struct import Struct
from typing import Any, NamedTuple

_HEAD = Struct(">BBQBqI")  # RFC 6962's prefix of a leaf, version, offset, timestamp type, milliseconds, key length
_KEYLESS = Struct(">BBQBq")
_LENGTH = Struct(">I")
_PREFIX, _VERSION = 0, 1
_NULL = b"\xff\xff\xff\xff"


class Leaves(NamedTuple):
    """Rows of one log as columns of equal length. `timestamps`: milliseconds since 1970; no value: tombstone."""

    offsets: list[int]
    indexes: list[int]
    timestamps: list[int]
    types: list[int]
    keys: list[bytes | None]
    values: list[bytes | None]
    headers: list[bytes]
    hashes: list[bytes]
    """The leaf hashes that the rows claim."""
    tables: list[str]

    @classmethod
    def none(cls) -> Leaves:
        return cls([], [], [], [], [], [], [], [], [])

    def sorted(self) -> Leaves:
        """The same rows by offset; those of one offset by table."""
        places = sorted(range(len(self.offsets)), key=lambda at: (self.offsets[at], self.tables[at]))
        return self.chosen(places)

    def chosen(self, places: Sequence[int]) -> Leaves:
        """The rows at `places`, in that order."""
        columns: Any = ([column[place] for place in places] for column in self)
        return Leaves(*columns)

    @classmethod
    def joined(cls, parts: Sequence[Leaves]) -> Leaves:
        """The rows of all parts, by offset."""
        columns: Any = ([value for part in parts for value in part[at]] for at in range(len(cls._fields)))
        return cls(*columns).sorted()


def leaf_hashes(leaves: Leaves) -> list[bytes]:
    """SHA-256(0x00 || L) of each row."""
    try:
        return _dense(leaves)
    except TypeError:  # some row has no key, or no value
        heads = zip(leaves.offsets, leaves.types, leaves.timestamps, leaves.keys, leaves.values, strict=True)
        rows = zip(heads, leaves.headers, strict=True)
        return [sha256(_sparse(*head) + headers).digest() for head, headers in rows]


def _dense(leaves: Leaves) -> list[bytes]:
    """Of rows with key and value, each step for all rows at once. Raises `TypeError` for others."""
    keys, values = leaves.keys, leaves.values
    heads = map(
        _HEAD.pack,
        *(repeat(_PREFIX), repeat(_VERSION), leaves.offsets, leaves.types, leaves.timestamps),
        map(len, keys),  # type: ignore[arg-type]
    )
    lengths = map(_LENGTH.pack, map(len, values))  # type: ignore[arg-type]
    encoded = map(b"".join, zip(heads, keys, lengths, values, leaves.headers, strict=True))  # type: ignore[arg-type]
    return [sha256(one).digest() for one in encoded]


def _sparse(offset: int, kind: int, time: int, key: bytes | None, value: bytes | None) -> bytes:
    head = _KEYLESS.pack(_PREFIX, _VERSION, offset, kind, time)
    return head + b"".join(_NULL if part is None else _LENGTH.pack(len(part)) + part for part in (key, value))


def headers_of(headers: list[tuple[str, bytes | None]]) -> bytes:
    """Headers of a record as Kafka gives them, as they stand in L."""
    parts = [_LENGTH.pack(len(headers))]
    for name, value in headers:
        encoded = name.encode()
        parts += [_LENGTH.pack(len(encoded)), encoded]
        parts.append(_NULL if value is None else _LENGTH.pack(len(value)) + value)
    return b"".join(parts)
