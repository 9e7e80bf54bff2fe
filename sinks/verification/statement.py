"""Decides whether a statement of the sealer is what it says: its note is signed by a pinned key, and the columns or
fields beside the note say the same as the note.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence

from inzage.sinks.ledger.checkpoint import Checkpoint
from inzage.sinks.ledger.note import Note, NoteError, Verifier, open_note
from inzage.sinks.verification.evidence import META_INDEX_OF_META, PrunedLog, SealedLog
from inzage.sinks.verification.finding import Finding, tamper

Statement = SealedLog | PrunedLog


class Signatures:
    """Verifies notes with pinned keys, each note once however many sources tell it."""

    def __init__(self, keys: Sequence[Verifier]) -> None:
        self._keys = keys
        self._judged: dict[str, str] = {}

    def wrong_with(self, note: str) -> str:
        """Why the note is not one of the sealer's, or nothing."""
        judged = self._judged.get(note)
        if judged is None:
            try:
                open_note(note, self._keys)
                judged = ""
            except NoteError as error:
                judged = str(error)
            self._judged[note] = judged
        return judged


def judge(said: Statement, source: str, signatures: Signatures) -> Finding | None:
    """What is wrong with one statement by itself, None for nothing."""
    log, place = said.origin, said.place
    where = said.meta_index if said.meta_index != META_INDEX_OF_META else said.size
    if wrong := signatures.wrong_with(said.note):
        return tamper("checkpoint.signature", log, f"{place}: {wrong}", where, source=source)
    text = Note.read(said.note).text
    if text != _text(said):
        what = f"{place}: what stands beside the signed note is not what the note says"
        return tamper("checkpoint.columns", log, what, where, source=source)
    return None


def _text(said: Statement) -> str:
    """The text that a note over `said` has (docs/design/ledger.md)."""
    if isinstance(said, SealedLog):
        return Checkpoint(said.origin, said.size, said.root).text
    frontier = " ".join(_base64(part) for part in said.frontier) or "-"
    return (
        f"{said.origin}\npruned below {said.minimum_index} offset {said.minimum_offset}\n"
        f"{said.size} {_base64(said.root)}\nfrontier {frontier}\nreason {said.reason}\napprover {said.approver}\n"
    )


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode()
