"""Decides what witnesses and time-stamp authorities bear out of a meta log, by keys and certificates that were given.

A cosignature is under the note of the very checkpoint (C2SP tlog-cosignature); k different witnesses make a quorum.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from inzage.sinks.ledger.note import Note, NoteError, Verifier
from inzage.sinks.verification.evidence import AttestedLog
from inzage.sinks.verification.finding import Finding, Severity, tamper
from inzage.sinks.verification.meta_log import MetaLog

TIMESTAMP = "TIMESTAMP"


@dataclass(frozen=True, slots=True)
class Attestors:
    """Whom one trusts beside the sealer: witnesses of which `quorum` must agree, and root certificates, PEM."""

    witnesses: tuple[Verifier, ...] = ()
    quorum: int = 0
    authorities: tuple[bytes, ...] = ()


def judge_attestations(meta: MetaLog, said: Sequence[AttestedLog], trusted: Attestors) -> Iterator[Finding]:
    """What is wrong with the attestations of a meta log, and up to which size a quorum bears it out."""
    seals: dict[int, set[str]] = {}
    for one in said:
        if one.origin == meta.origin and one.kind == TIMESTAMP and one.token and trusted.authorities:
            yield from _stamped(meta, one, trusted)
        elif one.origin == meta.origin and one.token is None:
            yield from _cosigned(meta, one, trusted, seals)
    if trusted.witnesses:
        witnessed = max((size for size, by in seals.items() if len(by) >= trusted.quorum), default=0)
        newest = meta.newest.size if meta.newest else 0
        if witnessed < newest:
            what = f"{trusted.quorum} of {len(trusted.witnesses)} witnesses bear it out up to size {witnessed} of {newest}"
            severity = Severity.NOTE if witnessed else Severity.UNVERIFIED
            yield Finding(severity, "attestation.quorum", meta.origin, what, witnessed, newest)


def _cosigned(meta: MetaLog, said: AttestedLog, trusted: Attestors, seals: dict[int, set[str]]) -> Iterator[Finding]:
    try:
        note = Note.read(said.note)
        for witness in trusted.witnesses:
            if signature := witness.find(note):
                witness.verify(note.text, signature)
                if note.text == meta.text_of(said.size):
                    seals.setdefault(said.size, set()).add(str(witness))
                else:
                    what = f"{witness.name} cosigned another root of size {said.size}: a split view"
                    yield tamper("log.two-roots", meta.origin, what, said.size)
    except NoteError as error:
        yield tamper("attestation.false", meta.origin, f"cosignature of size {said.size}: {error}", said.size)


def _stamped(meta: MetaLog, said: AttestedLog, trusted: Attestors) -> Iterator[Finding]:
    from cryptography import x509
    from rfc3161_client import VerifierBuilder, decode_timestamp_response
    from rfc3161_client.errors import VerificationError

    assert said.token is not None
    try:
        builder = VerifierBuilder()
        for pem in trusted.authorities:
            builder = builder.add_root_certificate(x509.load_pem_x509_certificate(pem))
        response = decode_timestamp_response(said.token)
        builder.build().verify(response, hashlib.sha256(said.note.encode()).digest())
    except (VerificationError, ValueError) as error:
        what = f"time stamp of size {said.size}: {error}"
        yield tamper("attestation.false", meta.origin, what, said.size)
        return
    if Note.read(said.note).text != meta.text_of(said.size):
        what = f"a time stamp stands on another root of size {said.size}"
        yield tamper("log.two-roots", meta.origin, what, said.size)
