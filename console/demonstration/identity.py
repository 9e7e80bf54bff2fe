"""Gives what is said in the month its identifiers: UUIDv7 (RFC 9562, 5.7), the same ones for the same seed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def drawn_id(at: datetime, chance: Random) -> str:
    """An identifier said at `at`, its random bits drawn by `chance`."""
    time = f"{(at - _EPOCH) // _MILLISECOND:012x}"
    bits = f"{chance.getrandbits(74):019x}"
    variant = "89ab"[int(bits[0], 16) & 3]
    return f"{time[:8]}-{time[8:]}-7{bits[1:4]}-{variant}{bits[4:7]}-{bits[7:]}"
