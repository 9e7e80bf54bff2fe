"""Decides what a leaf says: its bytes (docs/design/leaf.md) as the record they stand for, and back.

Written a second time, apart from the encoder of the sink: whoever checks a proof shares nothing with the writer.
Reading is strict, so a leaf has one record and a record one leaf.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from inzage.schemas.errors import TamperError

VERSION = 1
_NULL = 0xFFFF_FFFF
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TYPES = {0: "the producer", 1: "the broker"}


class LeafError(TamperError):
    """The bytes are no leaf."""

    code = "tamper.leaf"


@dataclass(frozen=True, slots=True)
class Record:
    """A record as the broker stores it. `timestamp` in milliseconds since 1970, UTC; `timestamp_type` 0 or 1."""

    offset: int
    timestamp_type: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...] = ()

    @property
    def at(self) -> datetime:
        """The timestamp, UTC. Raises `LeafError` for one beyond the years 1 to 9999."""
        try:
            return _EPOCH + timedelta(milliseconds=self.timestamp)
        except OverflowError as error:
            raise LeafError("the timestamp is no time") from error

    @property
    def stamped_by(self) -> str:
        """Whose clock the timestamp is of, in words."""
        return _TYPES[self.timestamp_type]

    def leaf(self) -> bytes:
        """L, the bytes that are hashed."""
        parts = [bytes([VERSION]), self.offset.to_bytes(8, "big"), bytes([self.timestamp_type])]
        parts += [self.timestamp.to_bytes(8, "big", signed=True), _sized(self.key), _sized(self.value)]
        parts.append(len(self.headers).to_bytes(4, "big"))
        for name, value in self.headers:
            parts += [_sized(name.encode()), _sized(value)]
        return b"".join(parts)

    @classmethod
    def read(cls, leaf: bytes) -> Record:
        """The record of L; raises `LeafError` for anything that `leaf` does not write."""
        if len(leaf) < 18 or leaf[0] != VERSION or leaf[9] not in _TYPES:
            raise LeafError("the leaf does not begin as one")
        reading = _Reading(leaf, 18)
        key, value = reading.part(), reading.part()
        headers = []
        for _ in range(reading.number()):
            name, text = reading.part(), reading.part()
            try:
                headers.append(((name or b"").decode(), text))
            except UnicodeDecodeError as error:
                raise LeafError("a header's name is not UTF-8") from error
            if name is None:
                raise LeafError("a header has no name")
        if reading.at != len(leaf):
            raise LeafError("bytes follow the leaf")
        offset, timestamp = int.from_bytes(leaf[1:9], "big"), int.from_bytes(leaf[10:18], "big", signed=True)
        return cls(offset, leaf[9], timestamp, key, value, tuple(headers))


def read_headers(encoded: bytes) -> tuple[tuple[str, bytes | None], ...]:
    """The headers as the trail's column `headers` holds them, which is as they stand in L; raises `LeafError`."""
    nothing = Record(0, 0, 0, None, None).leaf()
    return Record.read(nothing[:-4] + encoded).headers


class _Reading:
    """A place in the bytes."""

    def __init__(self, encoded: bytes, at: int) -> None:
        self.encoded, self.at = encoded, at

    def number(self) -> int:
        return int.from_bytes(self._take(4), "big")

    def part(self) -> bytes | None:
        length = self.number()
        return None if length == _NULL else self._take(length)

    def _take(self, length: int) -> bytes:
        taken = self.encoded[self.at : self.at + length]
        if len(taken) != length:
            raise LeafError("the leaf ends early")
        self.at += length
        return taken


def _sized(part: bytes | None) -> bytes:
    return _NULL.to_bytes(4, "big") if part is None else len(part).to_bytes(4, "big") + part
