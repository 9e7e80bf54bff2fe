"""Decides how a record becomes a row of the trail: its coordinates laid before its datum, one mark on either side.

Nothing is decoded: the coordinates are encoded as Avro fields and put before the datum as it stands on the topic
(Avro 1.12: a record is its fields laid end to end). The same mark stands before and after each datum and a table
refuses a row whose marks differ, so a datum of a false length cannot shift its neighbours' fields. The mark is the
start of the block's hash: nobody who writes a datum knows it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Any, NamedTuple

from inzage.schemas.codec import Schema
from inzage.schemas.splice import bytes_bytes, container, long_bytes, wrapped
from inzage.sinks.logs import Log

MARK_BYTES = 8

_MILLIS = {"type": "long", "logicalType": "timestamp-millis"}
_HASH = {"type": "fixed", "name": "Hash", "namespace": "inzage.trail", "size": 32}
_MARK = {"type": "fixed", "name": "Mark", "namespace": "inzage.trail", "size": MARK_BYTES}
_COORDINATES: tuple[tuple[str, Any], ...] = (
    ("log_id", "string"),
    ("topic", "string"),
    ("partition", "long"),
    ("schema_fingerprint", "string"),
    ("block", _MARK),
    ("offset", "long"),
    ("leaf_index", "long"),
    ("broker_time", _MILLIS),
    ("timestamp_type", "long"),
    ("key", ["null", "bytes"]),
    ("raw", "bytes"),
    ("headers", "bytes"),
    ("leaf_hash", _HASH),
)
_OF_THE_RECORD = frozenset({"topic", "partition", "offset", "key", "headers"})
_END = {"name": "block_end", "type": "inzage.trail.Mark"}

_NO_KEY, _KEY = b"\x00", b"\x02"  # the branch of the union

_SHORT = tuple(long_bytes(number) for number in range(1 << 13))
"""Encoded lengths: looking one up takes a fifth of encoding it."""


class Leaf(NamedTuple):
    """One record of a log, hashed. `timestamp` in milliseconds since 1970; `value` None for a tombstone."""

    offset: int
    timestamp: int
    timestamp_type: int
    key: bytes | None
    value: bytes | None
    headers: bytes
    hash: bytes


@cache
def row_schema(schema: Schema, prefixed: bool) -> str:
    """The text of the schema of a row: coordinates, the fields of `schema`, the end mark.

    `prefixed` names those coordinates `log_...` that a verdict or a dead letter has fields of its own for.
    """
    coordinates = [
        {"name": f"log_{name}" if prefixed and name in _OF_THE_RECORD else name, "type": avro}
        for name, avro in _COORDINATES
    ]
    row = json.loads(wrapped(schema, coordinates))
    return json.dumps({**row, "fields": [*row["fields"], _END]})


def rows(
    schema: Schema,
    fingerprint: str,
    log: Log,
    leaves: Sequence[Leaf],
    data: Sequence[bytes],
    *,
    base: int,
    mark: bytes,
    prefixed: bool,
) -> bytes:
    """An Avro object container of one row for each leaf and its datum.

    `schema` is that of `data`, `fingerprint` that of the records; `base` is the offset the log began at.
    """
    parts: list[bytes] = []
    constant = _constant(log, fingerprint) + mark
    times: dict[int, bytes] = {}
    short, known = _SHORT, len(_SHORT)
    for leaf, datum in zip(leaves, data, strict=True):
        offset = long_bytes(leaf.offset)
        index = offset if not base else long_bytes(leaf.offset - base)
        time = times.get(leaf.timestamp)
        if time is None:
            time = times[leaf.timestamp] = long_bytes(leaf.timestamp)
        key, raw = leaf.key, leaf.value or b""
        size, head = len(raw), len(leaf.headers)
        parts += (
            constant,
            offset,
            index,
            time,
            short[leaf.timestamp_type],
            _NO_KEY if key is None else _KEY + (short[len(key)] if len(key) < known else long_bytes(len(key))) + key,
            short[size] if size < known else long_bytes(size),
            raw,
            short[head] if head < known else long_bytes(head),
            leaf.headers,
            leaf.hash,
            datum,
            mark,
        )
    return container(row_schema(schema, prefixed), parts, len(leaves))


@lru_cache(maxsize=1024)
def _constant(log: Log, fingerprint: str) -> bytes:
    """What is the same for every row of a block."""
    texts = (bytes_bytes(text.encode()) for text in (log.id, log.topic.name))
    return b"".join((*texts, long_bytes(log.partition), bytes_bytes(fingerprint.encode())))
