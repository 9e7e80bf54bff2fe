"""Decides the bytes that stand for one Kafka record in its log, and their RFC 6962 leaf hash.

The leaf L is a fixed big-endian encoding of everything a broker stores of a record: offset, timestamp type,
timestamp, key, value, headers. Each variable part is preceded by its length and null is a length of its own, so
no two records share an L. Avro is never encoded again. Byte by byte: docs/design/leaf.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256
from struct import Struct
from typing import Any

Headers = Sequence[tuple[str, bytes | None]]

VERSION = 1
ABSENT = 0xFFFF_FFFF  # the length of what is null
NO_HEADERS = bytes(4)

_HEAD = Struct(">BQBq")  # version, offset, timestamp type, milliseconds since 1970
_PREFIXED_HEAD = Struct(">cBQBq")
_LENGTH = Struct(">I")
_LENGTHS = tuple(_LENGTH.pack(length) for length in range(4096))  # looking one up takes half of packing it
_NULL = _LENGTH.pack(ABSENT)
_LEAF_PREFIX = b"\x00"  # RFC 6962, 2.1


def leaf_bytes(
    offset: int, timestamp_type: int, timestamp: int, key: bytes | None, value: bytes | None, headers: bytes
) -> bytes:
    """L of one record. `timestamp` in milliseconds since 1970, UTC; `headers` as `headers_bytes` gives them."""
    head, pack = _HEAD.pack(VERSION, offset, timestamp_type, timestamp), _LENGTH.pack
    if key is None or value is None:
        return head + _part_bytes(key) + _part_bytes(value) + headers
    return b"".join((head, pack(len(key)), key, pack(len(value)), value, headers))


def leaf_hash(encoded: bytes) -> bytes:
    """SHA-256(0x00 || L), 32 bytes (RFC 6962, 2.1)."""
    return sha256(_LEAF_PREFIX + encoded).digest()


def leaf_hashes(records: Iterable[Any]) -> list[bytes]:
    """The leaf hash of each record, as Kafka's clients give them.

    What `leaf_hash(leaf_bytes(...))` gives, in two thirds of its time: this is what bounds the sealer.
    """
    hashes = []
    head, names, lengths, join = _PREFIXED_HEAD.pack, _NAMES, _LENGTHS, b"".join
    for record in records:
        key, value, headers = record.key, record.value, record.headers
        try:
            parts = [
                head(_LEAF_PREFIX, VERSION, record.offset, record.timestamp_type, record.timestamp),
                lengths[len(key)],
                key,
                lengths[len(value)],
                value,
                lengths[len(headers)],
            ]
            for name, content in headers:
                parts += (names[name], lengths[len(content)], content)
        except (TypeError, IndexError):  # something is null, or long
            kind, encoded = record.timestamp_type, headers_bytes(headers)
            hashes.append(leaf_hash(leaf_bytes(record.offset, kind, record.timestamp, key, value, encoded)))
        else:
            hashes.append(sha256(join(parts)).digest())
    return hashes


def headers_bytes(headers: Headers) -> bytes:
    """The headers as they stand in L: their number, then name and value of each, in order."""
    if not headers:
        return NO_HEADERS
    pack, names = _LENGTH.pack, _NAMES
    try:
        parts = [part for name, value in headers for part in (names[name], pack(len(value)), value)]  # type: ignore[arg-type]
    except TypeError:  # a header without a value is rare
        parts = [part for name, value in headers for part in (names[name], _part_bytes(value))]
    return pack(len(headers)) + b"".join(parts)  # type: ignore[arg-type]


class _Names(dict[str, bytes]):
    """Each header's name after its length; sources use the same few, and a stranger's many are not kept."""

    def __missing__(self, name: str) -> bytes:
        encoded = _part_bytes(name.encode())
        if len(self) < 1024:
            self[name] = encoded
        return encoded


_NAMES = _Names()


def _part_bytes(part: bytes | None) -> bytes:
    return _NULL if part is None else _LENGTH.pack(len(part)) + part


def read_headers(encoded: bytes) -> list[tuple[str, bytes | None]]:
    """The headers that `headers_bytes` encoded; raises `ValueError` for anything else."""
    count, position = _length(encoded, 0)
    headers: list[tuple[str, bytes | None]] = []
    for _ in range(count):
        name, position = _part(encoded, position)
        value, position = _part(encoded, position)
        if name is None:
            raise ValueError("a header without a name")
        headers.append((name.decode(), value))
    if position != len(encoded):
        raise ValueError("bytes follow the headers")
    return headers


def _length(encoded: bytes, position: int) -> tuple[int, int]:
    if position + 4 > len(encoded):
        raise ValueError("the headers end early")
    return _LENGTH.unpack_from(encoded, position)[0], position + 4


def _part(encoded: bytes, position: int) -> tuple[bytes | None, int]:
    length, position = _length(encoded, position)
    if length == ABSENT:
        return None, position
    if position + length > len(encoded):
        raise ValueError("the headers end early")
    return encoded[position : position + length], position + length
