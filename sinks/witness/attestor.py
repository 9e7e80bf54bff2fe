"""Decides who is asked to attest a checkpoint of the meta log, and when enough witnesses have: k of n.

A witness that is away, or refuses, delays only that a size counts as witnessed; it is asked again with the next
checkpoint. Each cosignature and each time stamp is verified before it becomes a record.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import structlog

from inzage.schemas.errors import ConfigError, InzageError, TamperError, TransientError
from inzage.schemas.settings import SealingSettings
from inzage.sinks.ledger.checkpoint import Checkpoint
from inzage.sinks.ledger.note import Note, Signature, Verifier
from inzage.sinks.ledger.tree import Tree
from inzage.sinks.witness.client import Prove, SplitViewError, TrustedWitness, WitnessClient
from inzage.sinks.witness.metrics import ANSWERS, STAMPED, STAMPS, WITNESSED
from inzage.sinks.witness.timestamping import Authority

if TYPE_CHECKING:
    from inzage.sinks.sealing.attestation import Sight

COSIGNATURE_KIND = "COSIGNATURE"
TIMESTAMP_KIND = "TIMESTAMP"

_log = structlog.get_logger("inzage.attestor")


def trusted_witnesses(sealing: SealingSettings) -> tuple[TrustedWitness, ...]:
    """The witnesses of the settings; raises `ConfigError` naming the one whose key is none, or stands there twice."""
    found: list[TrustedWitness] = []
    for number, witness in enumerate(sealing.witnesses):
        where = f"sealing.witnesses[{number}].key"
        try:
            found.append(TrustedWitness(str(witness.url), Verifier.read(witness.key), witness.ca_file))
        except ConfigError as error:
            raise ConfigError(f"{where}: {error}", code="config.witness") from error
        if len({one.verifier.public for one in found}) < len(found):
            raise ConfigError(f"{where}: this key stands there twice, and counts once", code="config.witness")
    return tuple(found)


def quorum_of(sealing: SealingSettings) -> int:
    """How many witnesses it takes: as set, or all of them."""
    return sealing.quorum if sealing.quorum is not None else len(sealing.witnesses)


class Attestor:
    """Asks the witnesses and the time-stamp authority of the settings. One call at a time.

    `clock` gives seconds since 1970. Raises `ConfigError`.
    """

    def __init__(self, sealing: SealingSettings, clock: Callable[[], float] = time.time) -> None:
        self._clients = [WitnessClient(witness, clock) for witness in trusted_witnesses(sealing)]
        self._quorum = quorum_of(sealing)
        stamping = sealing.timestamping
        self._authority = Authority(str(stamping.url), stamping.ca_file, clock) if stamping else None
        self._stamp_every = stamping.every_seconds if stamping else 0.0
        self._stamp_at = 0.0
        self._stamped = ""
        self._clock = clock
        self._note = ""
        self._cosigned: set[WitnessClient] = set()  # this note
        self._answers: dict[str, str] = {}
        self.every_seconds = sealing.witness_every_seconds
        self._threads = ThreadPoolExecutor(len(self._clients) + 1, "attest")

    def attest(self, sight: Sight) -> list[dict[str, Any]]:
        """What is said of the meta log's checkpoint in `sight`, as records `Attestation`.

        Whoever cosigned it in a call before is not asked again. Whatever fails is logged, counted and left out.
        """
        signed = Note.read(sight.note)
        checkpoint = Checkpoint.read(signed.text)
        if self._note != sight.note:
            self._note, self._cosigned = sight.note, set()
        asked = [client for client in self._clients if client not in self._cosigned]
        prove = _one_at_a_time(sight.tree)
        cosigning = [self._threads.submit(self._ask, client, signed, prove) for client in asked]
        stamping = [self._threads.submit(self._stamp, sight.note, checkpoint)] if self._stamp_due(sight.note) else []
        records = [call.result() for call in (*cosigning, *stamping)]
        self._cosigned.update(client for client, record in zip(asked, records, strict=False) if record is not None)
        if self._clients and len(self._cosigned) >= self._quorum:
            WITNESSED.set(checkpoint.size)
        return [record for record in records if record is not None]

    def missing(self, note: str) -> bool:
        """Whether asking about the checkpoint in `note` again, now or later, may bring more."""
        unstamped = self._authority is not None and self._stamped != note
        return unstamped or self._note != note or len(self._cosigned) < len(self._clients)

    def close(self) -> None:
        """Let go of all connections, after the calls under way."""
        self._threads.shutdown()
        for client in self._clients:
            client.close()
        if self._authority:
            self._authority.close()

    def _ask(self, client: WitnessClient, note: Note, prove: Prove) -> dict[str, Any] | None:
        name = client.verifier.name
        try:
            signature, at = client.cosign(note, prove)
        except InzageError as error:
            ANSWERS.labels(name, _outcome(error)).inc()
            self._report("not cosigned", name, error)
            return None
        ANSWERS.labels(name, "cosigned").inc()
        self._answers.pop(name, None)
        return _cosignature(note, signature, datetime.fromtimestamp(at, UTC))

    def _report(self, what: str, by: str, error: InzageError) -> None:
        """Log a failure when it is another than the one before: somebody may be away for days."""
        if self._answers.get(by) != error.code:
            self._answers[by] = error.code
            say = _log.error if isinstance(error, TamperError) else _log.warning
            say(what, by=by, code=error.code, why=error.diagnostics())

    def _stamp_due(self, note: str) -> bool:
        return self._authority is not None and self._stamped != note and self._clock() >= self._stamp_at

    def _stamp(self, note: str, checkpoint: Checkpoint) -> dict[str, Any] | None:
        assert self._authority is not None
        try:
            stamp = self._authority.stamp(note)
        except InzageError as error:
            STAMPS.labels(_outcome(error)).inc()
            self._report("not stamped", "time-stamp authority", error)
            return None
        self._answers.pop("time-stamp authority", None)
        self._stamped = note
        STAMPS.labels("stamped").inc()
        STAMPED.set(checkpoint.size)
        self._stamp_at = self._clock() + self._stamp_every
        return {**_of(checkpoint), "kind": TIMESTAMP_KIND, "by": stamp.by, "note": note, "token": stamp.token,
                "attested_at": stamp.at}  # fmt: skip


def configured_attestor(sealing: SealingSettings) -> Attestor | None:
    """The attestor of the settings, None when nobody is to be asked; raises `ConfigError`."""
    return Attestor(sealing) if sealing.witnesses or sealing.timestamping else None


def _one_at_a_time(tree: Tree) -> Prove:
    """Proofs of one tree for several threads."""
    alone = threading.Lock()

    def prove(size: int) -> list[bytes]:
        with alone:
            return tree.consistency_proof(size)

    return prove


def _cosignature(note: Note, signature: Signature, at: datetime) -> dict[str, Any]:
    cosigned = str(note.with_signatures([signature]))
    return {**_of(Checkpoint.read(note.text)), "kind": COSIGNATURE_KIND, "by": signature.name, "note": cosigned,
            "token": None, "attested_at": at}  # fmt: skip


def _of(checkpoint: Checkpoint) -> dict[str, Any]:
    return {"origin": checkpoint.origin, "size": checkpoint.size, "root": checkpoint.root}


def _outcome(error: InzageError) -> str:
    """What a failure counts as."""
    if isinstance(error, SplitViewError):
        return "split-view"
    if isinstance(error, TamperError):
        return "false"
    return "away" if isinstance(error, TransientError) else "refused"
