"""Puts columns of our own before those of a block in ClickHouse's Native format.

A block is the number of its columns and of its rows, then each column: its name, its type, its values end to end.
So what is said about rows joins what the engine decoded of them without a byte of that being looked at.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from sys import byteorder

from inzage.schemas.splice import varint


def whole_numbers(name: str, kind: str, values: Iterable[int]) -> bytes:
    """A column of a type that takes eight bytes, signed: Int64, or DateTime64 in its own unit."""
    numbers = array("q", values)
    if byteorder == "big":
        numbers.byteswap()
    return _named(name, kind) + numbers.tobytes()


def texts(name: str, values: Sequence[str]) -> bytes:
    """A column of String."""
    if not any(values):
        return _named(name, "String") + bytes(len(values))
    encoded = [value.encode() for value in values]
    return _named(name, "String") + b"".join([part for text in encoded for part in (varint(len(text)), text)])


def preceded(block: bytes, rows: int, columns: Sequence[bytes]) -> bytes:
    """`block` with `columns` before its own; raises `ValueError` when it is not one block of `rows` rows."""
    own, place = _number(block, 0)
    held, place = _number(block, place)
    if held != rows:
        raise ValueError(f"a block of {held} rows where {rows} were expected")
    return b"".join((varint(own + len(columns)), varint(rows), *columns, memoryview(block)[place:]))


def _named(name: str, kind: str) -> bytes:
    return b"".join(varint(len(text)) + text for text in (name.encode(), kind.encode()))


def _number(block: bytes, place: int) -> tuple[int, int]:
    """The number at `place`, seven bits a byte, and where it ends."""
    number = shift = 0
    while block[place] & 0x80:
        number |= (block[place] & 0x7F) << shift
        place, shift = place + 1, shift + 7
    return number | block[place] << shift, place + 1
