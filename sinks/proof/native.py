"""Reads ClickHouse's Native format, as far as a proof's questions need it: columns of blocks, into rows.

https://clickhouse.com/docs/interfaces/formats/Native
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Sequence
from typing import Any

Column = Sequence[Any]

_INTEGERS = {"UInt8": "B", "Int8": "b", "Int16": "h", "UInt64": "Q", "Int64": "q"}
_FIXED = re.compile(r"FixedString\((\d+)\)")
_NULLABLE = re.compile(r"Nullable\((.+)\)")
_SUBTREES = "Array(Tuple(level Int64, index Int64, hash String))"


class NativeError(Exception):
    """The answer is not whole, or has a type that is not read here."""


def rows_of(answer: bytes) -> list[tuple[Any, ...]]:
    """The rows of an answer, texts as bytes; raises `NativeError`."""
    rows: list[tuple[Any, ...]] = []
    reading = _Reading(answer)
    while reading.at < len(answer):
        columns, count = reading.number(), reading.number()
        rows += zip(*[reading.column(count) for _ in range(columns)], strict=True)
    return rows


class _Reading:
    """A place in the bytes."""

    def __init__(self, answer: bytes) -> None:
        self.answer, self.at = answer, 0

    def number(self) -> int:
        """Unsigned LEB128."""
        number = shift = 0
        while True:
            byte = self.take(1)[0]
            number |= (byte & 0x7F) << shift
            if byte < 0x80:
                return number
            shift += 7

    def take(self, length: int) -> bytes:
        taken = self.answer[self.at : self.at + length]
        if len(taken) != length:
            raise NativeError("the answer ends early")
        self.at += length
        return taken

    def column(self, count: int) -> Column:
        self.take(self.number())  # its name
        kind = self.take(self.number()).decode()
        return self.values(kind, count) if count else ()

    def values(self, kind: str, count: int) -> Column:
        if kind == "String":
            return self.texts(count)
        if code := _INTEGERS.get(kind):
            found = array(code)
            found.frombytes(self.take(count * found.itemsize))
            return found
        if fixed := _FIXED.fullmatch(kind):
            size = int(fixed[1])
            packed = self.take(count * size)
            return [packed[at : at + size] for at in range(0, count * size, size)]
        if nullable := _NULLABLE.fullmatch(kind):
            missing = self.take(count)
            return [None if null else one for null, one in zip(missing, self.values(nullable[1], count), strict=True)]
        if kind == _SUBTREES:
            ends = self.values("UInt64", count)
            total = int(ends[-1])
            levels, numbers, hashes = self.values("Int64", total), self.values("Int64", total), self.texts(total)
            parts = list(zip(levels, numbers, hashes, strict=True))
            return [parts[first:last] for first, last in zip((0, *ends[:-1]), ends, strict=True)]
        raise NativeError(f"a column of type {kind}")

    def texts(self, count: int) -> Column:
        found, answer, at = [], self.answer, self.at
        for _ in range(count):
            length = answer[at] if at < len(answer) else 0x80
            at += 1
            if length >= 0x80:  # more than one byte says how long it is
                self.at = at - 1
                length, at = self.number(), self.at
            found.append(answer[at : at + length])
            at += length
        if at > len(answer):
            raise NativeError("the answer ends early")
        self.at = at
        return found
