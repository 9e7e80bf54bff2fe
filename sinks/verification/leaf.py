"""Decides the leaf hash of a row, from docs/design/leaf.md and nothing else: a second encoder beside the writer's.

A whole block is hashed at once, column by column, since that is what takes the time.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
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
    head, length, join, hashed = _HEAD.pack, _LENGTH.pack, b"".join, sha256
    rows = zip(
        leaves.offsets, leaves.types, leaves.timestamps, leaves.keys, leaves.values, leaves.headers, strict=True
    )
    return [
        hashed(
            join((head(_PREFIX, _VERSION, at, kind, time, len(key)), key, length(len(value)), value, headers))
            if key is not None and value is not None
            else _sparse(at, kind, time, key, value) + headers
        ).digest()
        for at, kind, time, key, value, headers in rows
    ]


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
