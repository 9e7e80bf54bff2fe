"""Decides how a witness is asked for a cosignature, and what its answer means for the log (C2SP tlog-witness).

A witness at another size says which, and gets the proof from there. A witness that is ahead of the log, or saw
another log, is the finding witnesses exist for: a split view.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import stamina

from inzage.schemas.errors import ConfigError, InzageError, TamperError, TransientError
from inzage.sinks.ledger.checkpoint import LARGEST_SIZE, Checkpoint
from inzage.sinks.ledger.note import COSIGNATURE, Note, NoteError, Signature, Verifier
from inzage.sinks.witness.http_post import Answer, Correspondent
from inzage.sinks.witness.protocol import ADD_CHECKPOINT, SIZE_TYPE, Submission

LARGEST_ANSWER = 64 << 10  # bytes
ATTEMPTS = 3
CONFLICTS = 3
"""Times a witness may say that it is elsewhere before it is left alone: somebody else is advancing it."""

AHEAD_AT_MOST = 300
"""Seconds that a witness's clock may be ahead of ours; a cosignature from further in the future is not believed."""


Prove = Callable[[int], Sequence[bytes]]
"""The consistency proof from a size, above zero, to the checkpoint."""


class SplitViewError(TamperError):
    """The witness saw another log under this origin than the one it is shown."""

    code = "tamper.split-view"


class RefusedError(InzageError):
    """The witness does not cosign, for a reason that says nothing about the log's history."""

    code = "witness.refused"


@dataclass(frozen=True, slots=True)
class TrustedWitness:
    """A witness as it was pinned: where it is, and the key it cosigns with."""

    url: str
    verifier: Verifier
    ca_file: Path | None = None

    def __post_init__(self) -> None:
        if self.verifier.algorithm != COSIGNATURE:
            raise ConfigError(f"verifier key {self.verifier.name}: not the key of a witness", code="config.key")


class WitnessClient:
    """Asks one witness; remembers at which size it was. `clock` gives seconds since 1970."""

    def __init__(self, witness: TrustedWitness, clock: Callable[[], float] = time.time) -> None:
        self.verifier = witness.verifier
        self._outside = Correspondent(witness.url.rstrip("/") + ADD_CHECKPOINT, witness.ca_file)
        self._clock = clock
        self._size = 0
        self._away = False

    def cosign(self, note: Note, prove: Prove) -> tuple[Signature, int]:
        """The witness's cosignature of the checkpoint in `note`, verified, and its time in seconds since 1970.

        Raises `TransientError` when the witness does not answer,
        `SplitViewError` when it saw another log, `RefusedError` when it refuses otherwise and `NoteError` when it
        answers with something else than its cosignature.
        """
        checkpoint = Checkpoint.read(note.text)
        if self._size > checkpoint.size:
            self._size = 0  # it tells again where it is
        told = None
        for _ in range(CONFLICTS + 1):
            proof = prove(self._size) if self._size else ()
            answer = self._post(Submission(self._size, tuple(proof), note, checkpoint))
            if answer.status == 200:
                found = self._cosignature(note, answer.body)
                self._size = checkpoint.size
                return found
            if answer.status != 409 or answer.content_type != SIZE_TYPE:
                raise self._refused(answer.status, checkpoint)
            size = _size(answer.body)
            if size > checkpoint.size:
                raise SplitViewError(
                    f"{self.verifier.name} cosigned {size} leaves of {checkpoint.origin}, not {checkpoint.size}",
                    hint="a restored sealer, or a second one: compare what the witness shows with the archive",
                )
            if told == size == checkpoint.size:
                raise self._refused(409, checkpoint)  # asked from its own size, it still objects: to the root
            told = self._size = size
        raise RefusedError(f"{self.verifier.name}: it says that it is elsewhere each time it is asked")

    def close(self) -> None:
        self._outside.close()

    def _post(self, submission: Submission) -> Answer:
        body, headers = submission.encode(), {"content-type": "text/plain; charset=utf-8"}
        attempts = 1 if self._away else ATTEMPTS  # whoever was away must not hold up the others again
        self._away = True
        for attempt in stamina.retry_context(
            on=TransientError, attempts=attempts, timeout=None, wait_initial=0.2, wait_max=2.0
        ):
            with attempt:
                answer = self._outside.post(body, headers, LARGEST_ANSWER)
        self._away = False
        return answer

    def _cosignature(self, note: Note, body: bytes) -> tuple[Signature, int]:
        try:
            answered = Note.read(f"{note.text}\n{body.decode()}")
        except UnicodeDecodeError as error:
            raise NoteError(f"{self.verifier.name}: its answer is not text") from error
        signature = self.verifier.find(answered)
        if signature is None:
            raise NoteError(f"{self.verifier.name}: its answer has no cosignature of its key")
        at = self.verifier.verify(note.text, signature) or 0
        if not 0 < at <= self._clock() + AHEAD_AT_MOST:
            raise NoteError(f"{self.verifier.name}: its cosignature is from the future, or has no time")
        return signature, at

    def _refused(self, status: int, checkpoint: Checkpoint) -> InzageError:
        if status in (409, 422):
            return SplitViewError(
                f"{self.verifier.name} saw another log than this one: {checkpoint.origin} with {self._size} leaves",
                hint="the history of the log was changed, or it is told differently to different witnesses",
            )
        why = {400: "it cannot read the request", 403: "it does not know this key", 404: "it does not know this log"}
        return RefusedError(f"{self.verifier.name}: {why.get(status, f'it answers {status}')}")


def _size(body: bytes) -> int:
    text = body.removesuffix(b"\n")
    if not text.isdigit() or len(text) > 19 or int(text) > LARGEST_SIZE:
        raise RefusedError("the witness names a size that is none")
    return int(text)
