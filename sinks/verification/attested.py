"""Decides what witnesses and time-stamp authorities bear out of a meta log, by keys and certificates that were given.

A cosignature or a stamp stands on the note of one checkpoint; one on another root of that size is a split view.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from inzage.schemas.errors import TamperError
from inzage.sinks.ledger.note import Note, Verifier
from inzage.sinks.verification.evidence import AttestedLog
from inzage.sinks.verification.finding import Finding, Severity, tamper
from inzage.sinks.verification.meta_log import MetaLog

if TYPE_CHECKING:
    from cryptography.x509 import Certificate


@dataclass(frozen=True, slots=True)
class Trusted:
    """Whom one trusts beside the sealer: witnesses of which `quorum` must agree, and authorities' roots."""

    witnesses: tuple[Verifier, ...] = ()
    quorum: int = 0
    authorities: tuple[Certificate, ...] = ()

    @property
    def anybody(self) -> bool:
        return bool(self.witnesses or self.authorities)


def judge_attestations(meta: MetaLog, said: Sequence[AttestedLog], trusted: Trusted) -> Iterator[Finding]:
    """What is wrong with the attestations of a meta log, and how far they do not reach."""
    own = [one for one in dict.fromkeys(said) if one.origin == meta.origin]
    newest = meta.newest.size if meta.newest else 0
    if trusted.witnesses:
        seals: dict[int, set[bytes]] = {}
        for one in own:
            if one.token is None:
                yield from _cosigned(meta, one, trusted, seals)
        witnessed = max((size for size, by in seals.items() if len(by) >= trusted.quorum), default=0)
        what = (
            f"{trusted.quorum} of {len(trusted.witnesses)} witnesses bear it out up to size {witnessed} of {newest}"
        )
        yield from _reaching(meta, witnessed, newest, what)
    if trusted.authorities:
        stamped = [size for one in own if one.token for size in _stamped(meta, one, trusted)]
        yield from (one for one in stamped if isinstance(one, Finding))
        last = max((one for one in stamped if isinstance(one, int)), default=0)
        yield from _reaching(meta, last, newest, f"a time stamp stands on size {last} of {newest}")


def _reaching(meta: MetaLog, size: int, newest: int, what: str) -> Iterator[Finding]:
    """The newest rounds are seldom attested yet; that nothing is attested leaves the question open."""
    if size < newest:
        severity = Severity.NOTE if size else Severity.UNVERIFIED
        yield Finding(severity, "attestation.quorum", meta.origin, what, size, newest - 1)


def _cosigned(meta: MetaLog, said: AttestedLog, trusted: Trusted, seals: dict[int, set[bytes]]) -> Iterator[Finding]:
    from inzage.sinks.witness.attestations import verify_cosignatures

    for witness in trusted.witnesses:
        try:
            if not verify_cosignatures(said.note, [witness], 0):
                continue
        except TamperError as error:
            yield tamper("attestation.false", meta.origin, f"cosignature of size {said.size}: {error}", said.size)
            return
        yield from _split(meta, said, f"{witness.name} cosigned")
        seals.setdefault(said.size, set()).add(witness.public)


def _stamped(meta: MetaLog, said: AttestedLog, trusted: Trusted) -> Iterator[Finding | int]:
    from inzage.sinks.witness.attestations import verify_timestamp

    assert said.token is not None
    try:
        verify_timestamp(said.note, said.token, trusted.authorities)
    except TamperError as error:
        yield tamper("attestation.false", meta.origin, f"time stamp of size {said.size}: {error}", said.size)
        return
    yield from _split(meta, said, "an authority stamped")
    yield said.size


def _split(meta: MetaLog, said: AttestedLog, who: str) -> Iterator[Finding]:
    """That what was attested is not the checkpoint which is shown to everybody."""
    try:
        text = Note.read(said.note).text
    except TamperError:
        text = ""
    shown = meta.texts.get(said.size)
    if shown is not None and text != shown:
        what = f"{who} another root of size {said.size} than the one that is shown: a split view"
        yield tamper("log.two-roots", meta.origin, what, said.size)
    elif shown is None:
        what = f"{who} a checkpoint of size {said.size}, and no source has it"
        yield tamper("checkpoint.missing", meta.origin, what, said.size)
