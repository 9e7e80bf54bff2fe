"""Decides what is asked of the sealer before anything goes, and when its statement stands and is true.

The request proves what it asks: a frontier over what goes, and that it leads to a checkpoint. What comes back is
believed when a trusted key signed it and it says what its record says.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from inzage.schemas.codec import encode
from inzage.schemas.errors import ConfigError, TamperError, TransientError
from inzage.schemas.settings import Settings
from inzage.sinks.ledger.checkpoint import Checkpoint
from inzage.sinks.ledger.compact_range import CompactRange
from inzage.sinks.ledger.note import Note, Verifier, open_note
from inzage.sinks.ledger.proofs import verify_consistency
from inzage.sinks.ledger.signing_key import PUBLIC_SUFFIX, read_verifiers
from inzage.sinks.proof.evidence import Sealed
from inzage.sinks.proof.trail_reader import TrailReader
from inzage.sinks.proof.trees import Trees
from inzage.sinks.retention.plan import LogPlan
from inzage.sinks.sealing.process import FOLDER, KEY
from inzage.sinks.sealing.round import Prune
from inzage.sinks.trail import Trail

_LOOK_EVERY = 0.5  # seconds


class NotStatedError(TransientError):
    """The sealer did not state it in time, or the sink did not bring it."""

    code = "transient.statement"


@dataclass(frozen=True, slots=True)
class Warrant:
    """On whose word, and why. Both are one line, and become part of the public statement."""

    reason: str
    approver: str

    def __post_init__(self) -> None:
        for name, words in (("reason", self.reason), ("approver", self.approver)):
            if not words.strip() or not words.isprintable() or len(words) > 1000:
                raise ConfigError(f"{name}: one line of text is expected", code="config.retention")


def trusted_keys(settings: Settings) -> tuple[Verifier, ...]:
    """The keys whose statements count: those of the settings, else the public half of the local sealer's key.

    Raises `ConfigError`.
    """
    sealing = settings.sealing
    if sealing.trusted_keys:
        return tuple(Verifier.read(key) for key in sealing.trusted_keys)
    key = sealing.key_file or settings.data_dir / FOLDER / KEY
    return read_verifiers(key.with_name(key.name + PUBLIC_SUFFIX))


def stated(trail: Trail, origins: Iterable[str], keys: Sequence[Verifier]) -> dict[str, Prune]:
    """The furthest statement about each log that the trail holds; raises `TamperError` for a false one."""
    found: dict[str, Prune] = {}
    for row in trail.select_named("statements", origins=list(origins)):
        record = {
            **{
                name: row[name]
                for name in ("origin", "minimum_index", "minimum_offset", "size", "reason", "approver")
            },
            "root": bytes.fromhex(row["root_hex"]),
            "frontier": [bytes.fromhex(one) for one in row["frontier_hex"]],
        }
        found[row["origin"]] = believed(record, row["note"], keys)
    return found


def await_statements(
    trail: Trail, wanted: Mapping[str, int], keys: Sequence[Verifier], within: float
) -> dict[str, Prune]:
    """Wait until the trail holds, for each log of `wanted`, a statement that it goes below its index.

    Only what is public comes into the trail, and with it the sink knows that what is gone was dropped. `within` is in
    seconds. Raises `NotStatedError`, and `TamperError` for a false statement.
    """
    until = time.monotonic() + within
    while True:
        found = stated(trail, wanted, keys)
        missing = [origin for origin, index in wanted.items() if not _covers(found.get(origin), index)]
        if not missing:
            return found
        if time.monotonic() > until:
            raise NotStatedError(
                f"no statement within {within:.0f} s about {', '.join(sorted(missing))}",
                hint="are sealer and sink running? the sealer's log says why it refuses; nothing was dropped",
            )
        time.sleep(_LOOK_EVERY)


def _covers(said: Prune | None, index: int) -> bool:
    return said is not None and said.minimum_index >= index


def believed(record: Mapping[str, Any], note: str, keys: Sequence[Verifier]) -> Prune:
    """The statement of a record `Pruning`; raises `TamperError` when nobody trusted signed just this."""
    names = ("origin", "minimum_index", "minimum_offset", "size", "root", "reason", "approver")
    said = Prune(**{name: record[name] for name in names}, frontier=tuple(record["frontier"]))
    if Note.read(note).text != said.text:
        raise TamperError(f"{said.origin}: a statement says other than its note", code="tamper.pruning")
    open_note(note, keys)
    return said


def request(trail: Trail, log: LogPlan, before: Prune | None, warrant: Warrant, at: datetime) -> dict[str, Any]:
    """The `PruningRequest` for what goes of a log; `before` is the statement that it follows.

    Raises `TamperError` when the trail does not hold all that is to go, or that leads to no checkpoint;
    `ConfigError` when it is not sealed that far.
    """
    floor = before.minimum_index if before else 0
    if log.records != log.minimum_index - floor:
        raise TamperError(
            f"{log.log_id}: {log.records} records from index {floor} to {log.minimum_index}: some are missing",
            code="tamper.gap",
            hint="nothing goes that was not whole; `inzage verify` says what is wrong",
        )
    sealed = next((Sealed(*row) for row in trail.select("newest_checkpoint", origin=log.log_id)), None)
    if sealed is None or sealed.size < log.minimum_index:
        raise ConfigError(f"{log.log_id}: not sealed up to index {log.minimum_index}", code="config.unsealed")
    dropped = CompactRange.of(floor, before.frontier) if before else None
    checkpoint = Checkpoint.read(Note.read(sealed.note).text)
    try:
        with TrailReader(trail) as reader:
            tree = Trees(reader).log(sealed, dropped)
            frontier = tree.frontier(log.minimum_index)
            proof = tree.consistency_proof(log.minimum_index)
    except ValueError as error:
        raise TamperError(f"{log.log_id}: rows or checkpoints are missing: {error}", code="tamper.gap") from error
    root = CompactRange.of(log.minimum_index, frontier).root()
    verify_consistency(log.minimum_index, sealed.size, root, checkpoint.root, proof)
    return {
        "request_id": sha256(f"{log.log_id}/{log.minimum_index}".encode()).hexdigest(),
        "origin": log.log_id,
        "minimum_index": log.minimum_index,
        "minimum_offset": log.minimum_offset,
        "frontier": frontier,
        "size": sealed.size,
        "consistency": proof,
        "reason": warrant.reason,
        "approver": warrant.approver,
        "requested_at": at,
    }


def message(asked: Mapping[str, Any]) -> tuple[bytes, bytes]:
    """Key and value of a request."""
    return str(asked["origin"]).encode(), encode("pruning_request", asked)
