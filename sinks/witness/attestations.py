"""Decides whether what others say of a checkpoint holds: cosignatures of witnesses, tokens of time-stamp authorities.

Pure; for whoever checks a trail or a proof as well as for who asks. Keys and certificates are pinned by the caller:
nothing is believed because it stands beside what it proves.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from rfc3161_client import VerificationError, VerifierBuilder, decode_timestamp_response

from inzage.schemas.errors import ConfigError, TamperError
from inzage.sinks.ledger.note import COSIGNATURE, Note, NoteError, Verifier

_LATEST = int(datetime(9999, 12, 31, tzinfo=UTC).timestamp())


class QuorumError(TamperError):
    """Too few witnesses cosigned."""

    code = "tamper.quorum"


class TimestampError(TamperError):
    """The token does not say what it should, or not by whom it should."""

    code = "tamper.timestamp"


class Cosigned(NamedTuple):
    """A witness saw the checkpoint as the log's newest. `at` is UTC, by the witness's clock."""

    by: str
    at: datetime


def verify_cosignatures(note: str | Note, witness_keys: Sequence[Verifier], quorum: int) -> tuple[Cosigned, ...]:
    """Who of `witness_keys` cosigned the checkpoint in `note`, each once with the latest time, in the order of keys.

    Raises `QuorumError` when fewer than `quorum` keys did, `NoteError` for a signature of one that is false and
    `ConfigError` for a key that is no witness's. A key counts once, whatever names it is listed under: a cosignature
    does not cover its maker's name (C2SP tlog-cosignature).
    """
    read = Note.read(note) if isinstance(note, str) else note
    found: dict[bytes, Cosigned] = {}
    for key in witness_keys:
        if key.algorithm != COSIGNATURE:
            raise ConfigError(f"verifier key {key.name}: not the key of a witness", code="config.key")
        for signature in filter(key.claimed, read.signatures):
            at = key.verify(read.text, signature) or 0
            if not 0 < at <= _LATEST:
                raise NoteError(f"the cosignature of {key.name} has no time")
            cosigned = Cosigned(key.name, datetime.fromtimestamp(at, UTC))
            found[key.public] = max(found.get(key.public, cosigned), cosigned, key=lambda one: one.at)
    if len(found) < quorum:
        raise QuorumError(f"{len(found)} of {len(witness_keys)} witnesses cosigned, {quorum} are needed")
    return tuple(found.values())


def verify_timestamp(
    note: str, token: bytes, roots: Sequence[x509.Certificate], *, nonce: int | None = None
) -> datetime:
    """When an authority under `roots` stamped the bytes of `note`: UTC, to the second or better.

    `token` is a whole RFC 3161 response, DER. Certificates in it are used on the way to a root, never as one; its
    signer must be for time stamping alone (RFC 3161, 2.3), and valid then. Raises `TimestampError`.
    """
    builder = VerifierBuilder(roots=list(roots), nonce=nonce)
    try:
        response = decode_timestamp_response(token)
        builder.build().verify_message(response, note.encode())
        at: datetime = response.tst_info.gen_time
    except (VerificationError, ValueError) as error:
        raise TimestampError(f"the time stamp does not hold: {error}") from error
    return at.astimezone(UTC)


def stamped_by(token: bytes) -> str:
    """The name of the certificate that signed a verified token, RFC 4514."""
    response = decode_timestamp_response(token)
    [signer] = response.signed_data.signer_infos
    certificates = map(x509.load_der_x509_certificate, response.signed_data.certificates)
    subjects = [one.subject for one in certificates if one.serial_number == signer.serial_number]
    return subjects[0].rfc4514_string() if subjects else signer.issuer.rfc4514_string()


def read_certificates(path: Path) -> tuple[x509.Certificate, ...]:
    """The certificates of a PEM file, at least one; raises `ConfigError`."""
    try:
        return tuple(x509.load_pem_x509_certificates(path.read_bytes()))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: no certificates in it (PEM)", code="config.certificate") from error
