"""Decides whether a witness cosigns: the log's key signed the checkpoint, and it continues what was cosigned before.

The order of the checks and what each refusal answers are those of C2SP tlog-witness. The new state is on disk before
it is signed: killed at any instant, a witness has never signed two roots of one size, nor a smaller size after a
larger one.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256

from inzage.schemas.errors import InzageError
from inzage.sinks.ledger.hashing import EMPTY_ROOT
from inzage.sinks.ledger.note import Note, NoteError, Signature, Signer, Verifier, open_note
from inzage.sinks.ledger.proofs import ProofError, verify_consistency
from inzage.sinks.witness.protocol import Submission, SubmissionError
from inzage.sinks.witness.register import Cosigned, Fork, Register


class RefusedError(InzageError):
    """A checkpoint that is not cosigned. `status` is HTTP's; `size` is where the witness is, for a wrong old size."""

    code = "witness.refused"

    def __init__(self, status: int, message: str, *, size: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.size = size


class Witness:
    """A witness of `logs`, origins with the keys that may sign each. Threads may share it.

    `clock` gives seconds since 1970.
    """

    def __init__(
        self,
        signer: Signer,
        logs: Mapping[str, Sequence[Verifier]],
        register: Register,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._signer = signer
        self._logs = logs
        self._register = register
        self._clock = clock
        self._one_at_a_time = threading.Lock()
        self._names = {sha256(origin.encode()).hexdigest(): origin for origin in logs}

    def add_checkpoint(self, body: bytes) -> Signature:
        """The cosignature of the checkpoint that `body` submits.

        Raises `RefusedError`, and `TransientError` when the state cannot be written.
        """
        try:
            asked = Submission.read(body)
        except SubmissionError as error:
            raise RefusedError(400, str(error)) from error
        signed = self._signed(asked)
        with self._one_at_a_time:
            before = self._register.newest(asked.checkpoint.origin)
            self._check(asked, signed, before)
            at = max(int(self._clock()), before.at if before else 1)
            after = Cosigned(asked.checkpoint, str(signed), at)
            if not self._register.advance(before, after):  # another process of this witness was first
                newest = self._register.newest(asked.checkpoint.origin)
                raise RefusedError(409, "another checkpoint was first", size=newest.checkpoint.size if newest else 0)
        return self._sign(after)

    def newest(self, name: str) -> str | None:
        """The newest cosigned note of the log with this name, SHA-256 of its origin in hexadecimal."""
        origin = self._names.get(name)
        cosigned = self._register.newest(origin) if origin else None
        if cosigned is None:
            return None
        return str(Note.read(cosigned.note).with_signatures([self._sign(cosigned)]))

    def _signed(self, asked: Submission) -> Note:
        """The note with the signatures of the log's own keys."""
        keys = self._logs.get(asked.checkpoint.origin)
        if not keys:
            raise RefusedError(404, "not a log of this witness")
        try:
            return open_note(str(asked.note), keys)
        except NoteError as error:
            raise RefusedError(403, str(error)) from error

    def _check(self, asked: Submission, signed: Note, before: Cosigned | None) -> None:
        old, new = (before.checkpoint if before else None), asked.checkpoint
        size, root = (old.size, old.root) if old else (0, EMPTY_ROOT)
        if asked.old_size > new.size:
            raise RefusedError(400, "the old size is above the checkpoint's")
        if asked.old_size != size:
            raise RefusedError(409, "this witness is at another size", size=size)
        if asked.proof and size in (0, new.size):
            raise RefusedError(422, "no proof is expected from an empty tree or from the same size")
        if size == new.size and root != new.root:
            if before is None or size == 0:
                raise RefusedError(422, "an empty tree has another root")
            self._register.keep_fork(Fork(new.origin, size, before.note, str(signed), int(self._clock())))
            raise RefusedError(409, "another root of this size was cosigned")
        if 0 < size < new.size:
            try:
                verify_consistency(size, new.size, root, new.root, asked.proof)
            except ProofError as error:
                raise RefusedError(422, str(error)) from error

    def _sign(self, cosigned: Cosigned) -> Signature:
        return self._signer.sign(Note.read(cosigned.note).text, at=cosigned.at)  # with its extension lines
