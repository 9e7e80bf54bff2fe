"""Decides how far the trail is attested: the newest sealed size of the meta log, the newest one that enough witnesses
cosigned, and the newest that was stamped. Only what verifies with the keys of the settings counts.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from inzage.schemas.errors import TamperError
from inzage.schemas.settings import SealingSettings, Settings
from inzage.sinks.ledger.checkpoint import Checkpoint
from inzage.sinks.ledger.note import Note, NoteError
from inzage.sinks.reading import open_trail
from inzage.sinks.witness.attestations import (
    Cosigned,
    read_certificates,
    stamped_by,
    verify_cosignatures,
    verify_timestamp,
)
from inzage.sinks.witness.attestor import quorum_of, trusted_witnesses

LOOKED_AT = 20
"""Sizes from the newest on that are verified before none is said to hold."""


@dataclass(frozen=True, slots=True)
class Witnessed:
    """A meta log. Sizes are None where there is none; times are UTC: when the quorum was reached, and the stamp.

    `false` names what claims to attest a size and does not hold.
    """

    origin: str
    sealed: int
    sealed_at: datetime
    witnessed: int | None
    witnessed_at: datetime | None
    cosigned_by: tuple[str, ...]
    quorum: int
    witnesses: int
    stamped: int | None
    stamped_at: datetime | None
    stamped_by: str | None
    false: tuple[str, ...]


def witnessed(settings: Settings) -> list[Witnessed]:
    """How far each meta log of the trail is attested; raises `TransientError` when ClickHouse does not answer and
    `ConfigError` for keys or certificates that are none.
    """
    sealing = settings.sealing
    names = [witness.verifier.name for witness in trusted_witnesses(sealing)]
    with open_trail(settings) as trail:
        sealed = list(trail.select_named("meta_sealed"))
        cosigned = trail.select_named("cosigned", names=names, quorum=max(1, quorum_of(sealing)), limit=LOOKED_AT)
        stamped = trail.select_named("stamped", limit=LOOKED_AT)
    return [_judged(sealing, row, _of(row, cosigned), _of(row, stamped)) for row in sealed]


def _judged(
    sealing: SealingSettings, sealed: dict[str, Any], cosigned: list[dict[str, Any]], stamped: list[dict[str, Any]]
) -> Witnessed:
    quorum, false = quorum_of(sealing), list[str]()
    size, by = _newest_cosigned(sealing, cosigned, false) if sealing.witnesses else (None, ())
    stamp = _newest_stamp(sealing, stamped, false)
    return Witnessed(
        origin=sealed["origin"],
        sealed=sealed["newest"],
        sealed_at=sealed["sealed_at"],
        witnessed=size,
        witnessed_at=sorted(one.at for one in by)[quorum - 1] if by else None,
        cosigned_by=tuple(one.by for one in by),
        quorum=quorum,
        witnesses=len(sealing.witnesses),
        stamped=stamp[0] if stamp else None,
        stamped_at=stamp[1] if stamp else None,
        stamped_by=stamp[2] if stamp else None,
        false=tuple(false),
    )


def _newest_cosigned(
    sealing: SealingSettings, rows: list[dict[str, Any]], false: list[str]
) -> tuple[int | None, tuple[Cosigned, ...]]:
    keys = [witness.verifier for witness in trusted_witnesses(sealing)]
    for row in rows:
        try:
            notes = [_note(row, text) for text in row["notes"]]
            if len({note.text for note in notes}) > 1:
                raise NoteError("two roots of one size are cosigned")
            whole = notes[0].with_signatures(signature for note in notes for signature in note.signatures)
            return row["size"], verify_cosignatures(whole, keys, quorum_of(sealing))
        except TamperError as error:
            false.append(f"cosignatures of size {row['size']}: {error}")
    return None, ()


def _newest_stamp(
    sealing: SealingSettings, rows: list[dict[str, Any]], false: list[str]
) -> tuple[int, datetime, str] | None:
    if sealing.timestamping is None:
        return None
    roots = read_certificates(sealing.timestamping.ca_file)
    for row in rows:
        try:
            _note(row, row["note"])
            token = bytes.fromhex(row["token"])
            return row["size"], verify_timestamp(row["note"], token, roots), stamped_by(token)
        except TamperError as error:
            false.append(f"time stamp of size {row['size']}: {error}")
    return None


def _note(row: dict[str, Any], text: str) -> Note:
    """The note, which is about the origin and size of its row."""
    note = Note.read(text)
    checkpoint = Checkpoint.read(note.text)
    if (checkpoint.origin, checkpoint.size) != (row["origin"], row["size"]):
        raise NoteError("the note is about another checkpoint")
    return note


def _of(sealed: dict[str, Any], rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return [row for row in rows if row["origin"] == sealed["origin"]]
