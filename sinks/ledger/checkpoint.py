"""Decides what a checkpoint says: origin, size and root of a log, as the text of a note (C2SP tlog-checkpoint)."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass

from inzage.sinks.ledger.hashing import HASH_BYTES
from inzage.sinks.ledger.note import NoteError

LARGEST_SIZE = (1 << 63) - 1
"""Of a tree; RFC 6962, 3.5 has 64 bits, databases and Avro keep one for the sign."""

_SIZE = re.compile("0|[1-9][0-9]{0,18}")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log commits to: its first `size` leaves have this root (32 bytes)."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """The text to sign."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"

    @classmethod
    def read(cls, text: str) -> Checkpoint:
        """Read the text of a note; lines after the third are allowed and left alone. Raises `NoteError`."""
        lines = text.split("\n")
        if len(lines) < 4 or lines[-1]:
            raise NoteError("not a checkpoint: three lines are expected")
        origin, size, root = lines[:3]
        try:
            decoded = base64.b64decode(root, validate=True)
        except (ValueError, binascii.Error):
            decoded = b""
        if not origin or not _SIZE.fullmatch(size) or len(decoded) != HASH_BYTES or int(size) > LARGEST_SIZE:
            raise NoteError("not a checkpoint: origin, size and root are expected")
        return cls(origin, int(size), decoded)
