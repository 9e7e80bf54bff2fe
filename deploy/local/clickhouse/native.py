"""Decides what an empty result looks like in Native: a block that names its columns and has no rows.

A ClickHouse server sends that block; the embedded engine sends nothing, and a client would see no columns.
https://clickhouse.com/docs/interfaces/formats/Native
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import chdb


def empty_block(run: Callable[[str], Any], select: str) -> bytes:
    """The block for `select`, whose columns `run` is asked to describe as JSONCompact.

    Empty for a statement that cannot be described (SHOW, EXPLAIN).
    """
    try:
        described = json.loads(run(f"DESCRIBE ({select}\n)").bytes())
    except (chdb.ChdbError, RuntimeError):
        return b""
    columns = [(str(row[0]), str(row[1])) for row in described["data"]]
    names = b"".join(_text(name) + _text(kind) for name, kind in columns)
    return _varint(len(columns)) + _varint(0) + names


def _text(value: str) -> bytes:
    encoded = value.encode()
    return _varint(len(encoded)) + encoded


def _varint(value: int) -> bytes:
    """Unsigned LEB128."""
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
