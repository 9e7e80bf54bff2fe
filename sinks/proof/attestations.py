"""Decides what others say of a meta log's checkpoint: cosignatures of witnesses, time stamps of an authority."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography.x509 import Certificate, NameOID

from inzage.schemas.errors import TamperError
from inzage.sinks.ledger.note import Note, Verifier


class AttestationError(TamperError):
    """A cosignature or a time stamp is false, or there are too few."""

    code = "tamper.attestation"


@dataclass(frozen=True, slots=True)
class Attested:
    """Who saw the checkpoint, and when by their own clock, UTC."""

    by: str
    at: datetime


def cosigned(note: Note, witnesses: Sequence[Verifier], quorum: int) -> tuple[Attested, ...]:
    """The witnesses that cosigned `note`; raises `NoteError` for a false one, `AttestationError` for too few."""
    seen: dict[bytes, Attested] = {}
    for witness in witnesses:
        if signature := witness.find(note):
            at = witness.verify(note.text, signature)
            if at is None:
                raise AttestationError(f"{witness.name}: its key does not cosign")
            seen[witness.public] = Attested(witness.name, datetime.fromtimestamp(at, UTC))
    if len(seen) < quorum:
        raise AttestationError(f"cosigned by {len(seen)} of the {quorum} witnesses that are asked for")
    return tuple(seen.values())


def stamped(note: str, token: bytes, roots: Sequence[Certificate]) -> Attested:
    """Who stamped the bytes of `note`, and when; `token` is an RFC 3161 response, DER. Raises `AttestationError`."""
    from rfc3161_client import VerifierBuilder, decode_timestamp_response
    from rfc3161_client.errors import VerificationError

    try:
        response = decode_timestamp_response(token)
        builder = VerifierBuilder(roots=list(roots))
        for certificate in response.signed_data.certificates:
            builder = builder.add_intermediate_certificate(_loaded(certificate))
        builder.build().verify_message(response, note.encode())
    except (VerificationError, ValueError, TypeError) as error:
        raise AttestationError("a time stamp does not hold for this checkpoint and these certificates") from error
    signers = response.signed_data.signer_infos
    names = {
        _name(loaded)
        for loaded in map(_loaded, response.signed_data.certificates)
        for signer in signers
        if (loaded.issuer, loaded.serial_number) == (signer.issuer, signer.serial_number)
    }
    at = response.tst_info.gen_time
    return Attested(", ".join(sorted(names)) or "the authority", at if at.tzinfo else at.replace(tzinfo=UTC))


def _loaded(der: bytes) -> Certificate:
    from cryptography.x509 import load_der_x509_certificate

    return load_der_x509_certificate(der)


def _name(certificate: Certificate) -> str:
    found = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found[0].value) if found else certificate.subject.rfc4514_string()
