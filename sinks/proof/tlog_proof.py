"""Decides how the inclusion of one leaf is written down: a C2SP tlog-proof, its `extra` being the leaf itself.

There is one way to write each proof: what is read and written again is the same, byte for byte, or it is refused.
Specification: https://c2sp.org/tlog-proof.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass

from inzage.sinks.ledger.checkpoint import Checkpoint
from inzage.sinks.ledger.hashing import hash_leaf
from inzage.sinks.ledger.note import Note
from inzage.sinks.ledger.proofs import ProofError, verify_inclusion

HEADER = "c2sp.org/tlog-proof@v1"


@dataclass(frozen=True, slots=True)
class TlogProof:
    """That `leaf`, the bytes that are hashed, is at `index` (from zero) of the log whose checkpoint `note` is."""

    leaf: bytes
    index: int
    hashes: tuple[bytes, ...]
    note: str

    def __str__(self) -> str:
        lines = [HEADER, f"extra {_text(self.leaf)}", f"index {self.index}", *map(_text, self.hashes)]
        return "\n".join(lines) + "\n\n" + self.note

    @classmethod
    def read(cls, text: str) -> TlogProof:
        """Read a proof without verifying anything; raises `ProofError`."""
        head, _, note = text.partition("\n\n")
        lines = head.split("\n")
        if len(lines) < 3 or lines[0] != HEADER:
            raise ProofError(f"not a proof: it does not begin with {HEADER}")
        extra, index = lines[1].removeprefix("extra "), lines[2].removeprefix("index ")
        if not (index.isascii() and index.isdigit()) or len(index) > 19:
            raise ProofError("not a proof: the index is no number")
        read = cls(_bytes(extra), int(index), tuple(map(_bytes, lines[3:])), note)
        if str(read) != text:
            raise ProofError("not a proof: it is not written as one")
        return read

    @property
    def checkpoint(self) -> Checkpoint:
        """What the note says; raises `NoteError`."""
        return Checkpoint.read(Note.read(self.note).text)

    def verify(self) -> Checkpoint:
        """Check that the leaf is under the root of the note, whoever signed it; raises `ProofError`, `NoteError`."""
        checkpoint = self.checkpoint
        verify_inclusion(self.index, checkpoint.size, hash_leaf(self.leaf), self.hashes, checkpoint.root)
        return checkpoint


def _text(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error) as error:
        raise ProofError("not a proof: a line is not base64") from error
