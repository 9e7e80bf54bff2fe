"""Answers in ClickHouse's Native format: what is not whole, or of another type, is refused rather than guessed."""

from __future__ import annotations

import struct

import pytest

from inzage.sinks.proof.native import NativeError, rows_of

SUBTREES = "Array(Tuple(level Int64, index Int64, hash String))"


def text(value: bytes) -> bytes:
    """A text of fewer than 16,384 bytes."""
    size = len(value)
    return (bytes([size]) if size < 0x80 else bytes([size & 0x7F | 0x80, size >> 7])) + value


def block(count: int, *columns: tuple[str, bytes]) -> bytes:
    said = b"".join(text(b"name") + text(kind.encode()) + values for kind, values in columns)
    return bytes([len(columns), count]) + said


ANSWER = block(
    2,
    ("String", text(b"a") + text(b"b" * 300)),
    ("Int64", struct.pack("<2q", -2, 1 << 40)),
    ("UInt8", b"\x00\x01"),
    ("FixedString(3)", b"abcdef"),
    ("Nullable(String)", b"\x01\x00" + text(b"") + text(b"\xff")),
    (SUBTREES, struct.pack("<2Q", 0, 2) + struct.pack("<4q", 8, 16, 3, 0) + text(b"x") + text(b"y")),
)


def test_columns_become_rows() -> None:
    assert rows_of(ANSWER) == [
        (b"a", -2, 0, b"abc", None, []),
        (b"b" * 300, 1 << 40, 1, b"def", b"\xff", [(8, 3, b"x"), (16, 0, b"y")]),
    ]


def test_blocks_follow_one_another_and_may_be_empty() -> None:
    nothing = block(0, ("String", b""), ("Int64", b""))
    assert rows_of(b"") == rows_of(nothing) == []
    assert rows_of(nothing + block(1, ("UInt64", struct.pack("<Q", 7)))) == [(7,)]


@pytest.mark.parametrize("length", range(1, len(ANSWER)))
def test_an_answer_that_ends_early_is_refused(length: int) -> None:
    with pytest.raises(NativeError, match="ends early"):
        rows_of(ANSWER[:length])


def test_a_type_that_no_question_gives_is_refused() -> None:
    with pytest.raises(NativeError, match="LowCardinality"):
        rows_of(block(1, ("LowCardinality(String)", b"")))
