"""Gives events and facts their identifiers: UUIDv7, so that they sort by the time at which they were said.

RFC 9562, section 5.7: 48 bits of Unix milliseconds, version and variant, 74 random bits.
"""

from __future__ import annotations

import os
import time
from uuid import UUID

_VERSION = 7 << 76
_VARIANT = 2 << 62


def new_id() -> str:
    """A new UUIDv7 in its text form."""
    random = int.from_bytes(os.urandom(10))
    high, low = (random >> 62) & 0xFFF, random & ((1 << 62) - 1)
    return str(UUID(int=(time.time_ns() // 1_000_000) << 80 | _VERSION | high << 64 | _VARIANT | low))
