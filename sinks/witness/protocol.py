"""Decides what a log says to a witness: C2SP tlog-witness, the body of `POST /add-checkpoint`.

old <size>
<each hash of the consistency proof, base64>

<signed checkpoint>
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass

from inzage.schemas.errors import ContractError
from inzage.sinks.ledger.checkpoint import LARGEST_SIZE, Checkpoint
from inzage.sinks.ledger.hashing import HASH_BYTES
from inzage.sinks.ledger.note import Note, NoteError

ADD_CHECKPOINT = "/add-checkpoint"
SIZE_TYPE = "text/x.tlog.size"
"""Content type of a conflict that names the size the witness is at."""

LONGEST_PROOF = 63  # hashes
LARGEST_BODY = 128 << 10
"""Bytes: a proof, and the 16 signatures of up to 5 kB that a note must be allowed (C2SP signed-note)."""

_OLD = re.compile("old (0|[1-9][0-9]{0,18})")


class SubmissionError(ContractError):
    """The bytes are not a submission."""

    code = "contract.submission"


@dataclass(frozen=True, slots=True)
class Submission:
    """A signed checkpoint for a witness that cosigned `old_size` before, with the consistency proof from there."""

    old_size: int
    proof: tuple[bytes, ...]
    note: Note
    checkpoint: Checkpoint

    def encode(self) -> bytes:
        """The body of the request."""
        lines = (base64.b64encode(part).decode() + "\n" for part in self.proof)
        return f"old {self.old_size}\n{''.join(lines)}\n{self.note}".encode()

    @classmethod
    def read(cls, body: bytes) -> Submission:
        """Read the body of a request, verifying nothing; raises `SubmissionError`."""
        try:
            head, found, note = body.decode().partition("\n\n")
        except UnicodeDecodeError as error:
            raise SubmissionError("not UTF-8") from error
        first, *proof = head.split("\n")
        old = _OLD.fullmatch(first)
        if not found or not old or int(old[1]) > LARGEST_SIZE:
            raise SubmissionError("the old size, a proof, an empty line and a checkpoint are expected")
        if len(proof) > LONGEST_PROOF:
            raise SubmissionError(f"a consistency proof has at most {LONGEST_PROOF} hashes")
        try:
            signed = Note.read(note)
            checkpoint = Checkpoint.read(signed.text)
        except NoteError as error:
            raise SubmissionError(str(error)) from error
        return cls(int(old[1]), tuple(map(_hash, proof)), signed, checkpoint)


def _hash(line: str) -> bytes:
    try:
        decoded = base64.b64decode(line, validate=True)
    except (ValueError, binascii.Error):
        decoded = b""
    if len(decoded) != HASH_BYTES or base64.b64encode(decoded).decode() != line:
        raise SubmissionError(f"a line of the proof is not the base64 of {HASH_BYTES} bytes")
    return decoded
