"""Decides whether a proof file holds, from the file and the keys one trusts alone: no Kafka, no ClickHouse.

Every step follows from the one before: the bytes give the leaf, the leaf is in its log, the log's checkpoint is
signed and is in the meta log, whose checkpoint is signed, cosigned and stamped. A key within the file is never
trusted; a step that does not hold refuses the whole file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from cryptography.x509 import Certificate

from inzage.schemas.codec import Schema
from inzage.schemas.errors import ConfigError
from inzage.schemas.framing import header_of
from inzage.sinks.ledger.checkpoint import Checkpoint
from inzage.sinks.ledger.hashing import hash_leaf
from inzage.sinks.ledger.note import Note, Verifier, open_note
from inzage.sinks.ledger.proofs import ProofError
from inzage.sinks.proof.decoding import DecodingError, event_json, schema_known_here, stated_schema
from inzage.sinks.proof.proof_file import ProofFile
from inzage.sinks.proof.record import Record
from inzage.sinks.proof.tlog_proof import TlogProof
from inzage.sinks.witness.attestations import (
    Cosigned,
    TimestampError,
    stamped_by,
    verify_cosignatures,
    verify_timestamp,
)

SCHEMAS_OF_ALL = "all"
"""The part of the origin that names the controller, for topics that are everybody's."""


@dataclass(frozen=True, slots=True)
class Trust:
    """What the one who checks was given by other ways than the file. `quorum` counts `witnesses`."""

    keys: Sequence[Verifier]
    witnesses: Sequence[Verifier] = ()
    quorum: int = 0
    authorities: Sequence[Certificate] = ()


class Stamped(NamedTuple):
    """An authority stamped the meta log's checkpoint, at `at` (UTC) by its clock."""

    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Held:
    """What a proof proves.

    `schema_proven_by` says where the schema comes from, in words; `event` is JSON, None where nothing decodes it.
    `unchecked` names what the file brings and nobody gave a key or a certificate for.
    """

    record: Record
    leaf_hash: bytes
    index: int
    log: Checkpoint
    meta_index: int
    meta: Checkpoint
    signed_by: tuple[Verifier, ...]
    witnesses: tuple[Cosigned, ...]
    timestamps: tuple[Stamped, ...]
    event: str | None
    schema_proven_by: str
    unchecked: tuple[str, ...]


def check_proof(content: bytes, trust: Trust) -> Held:
    """Check a proof file, whole.

    Raises `TamperError` (`ProofError`, `NoteError`, `LeafError`, `DecodingError`, `QuorumError`, `TimestampError`)
    when it does not hold, `ConfigError` when it is whole but there is no key to check it with.
    """
    file = ProofFile.read(content)
    log, meta = _chained(file.record, file.checkpoint)
    record = Record.read(file.record.leaf)
    if not trust.keys:
        raise ConfigError(
            f"no key is given, so nothing is proven; the file says it is signed by {_claimed(file.checkpoint.note)}",
            code="config.key",
            hint="get the sealer's verifier key from the controller by another way than this file, and give --key",
        )
    signers = _signers(file.record.note, trust.keys)
    note = Note.read(file.checkpoint.note)
    signers = tuple(dict.fromkeys((*signers, *_signers(file.checkpoint.note, trust.keys))))
    schema, by = _schema(file, record, trust)
    event = event_json(record, schema) if schema else None
    if file.event is not None and file.event != event:
        raise DecodingError("the event shown in the file is not what its bytes say")
    return Held(
        record=record,
        leaf_hash=hash_leaf(file.record.leaf),
        index=file.record.index,
        log=log,
        meta_index=file.checkpoint.index,
        meta=meta,
        signed_by=signers,
        witnesses=verify_cosignatures(note, trust.witnesses, trust.quorum),
        timestamps=_timestamps(file, note, trust),
        event=event,
        schema_proven_by=by,
        unchecked=_unchecked(file, note, trust),
    )


def checked_without_keys(file: ProofFile) -> None:
    """Check what can be checked without trusting anybody: whether every path leads to its root.

    Raises `ProofError` and `NoteError`.
    """
    _chained(file.record, file.checkpoint)
    if file.schema and file.schema_checkpoint:
        _chained(file.schema, file.schema_checkpoint)


def _chained(inner: TlogProof, outer: TlogProof) -> tuple[Checkpoint, Checkpoint]:
    """Check that `outer` is about the very checkpoint that `inner` leads to, in the meta log of the same cluster."""
    log, meta = inner.verify(), outer.verify()
    if outer.leaf != inner.note.encode():
        raise ProofError("the meta log's proof is about another checkpoint")
    parts = log.origin.split("/")
    if len(parts) != 5 or parts[0] != "inzage" or meta.origin != f"inzage/meta/{parts[2]}":
        raise ProofError("the logs are not of one installation")
    return log, meta


def _signers(note: str, keys: Sequence[Verifier]) -> tuple[Verifier, ...]:
    """The keys that signed `note`; a signature of another key, or a cosignature of a trusted one, is not enough."""
    opened = open_note(note, keys)
    found = {(signature.name, signature.key_id) for signature in opened.signatures}
    return tuple(key for key in keys if (key.name, key.key_id) in found)


def _claimed(note: str) -> str:
    return ", ".join(f"{one.name}+{one.key_id.hex()}" for one in Note.read(note).signatures) or "nobody"


def _schema(file: ProofFile, record: Record, trust: Trust) -> tuple[Schema | None, str]:
    """The schema to read the value with, and in words why it is believed."""
    if not (file.schema and file.schema_checkpoint):
        schema = schema_known_here(record.value)
        return schema, "this installation of inzage, not the file" if schema else "nobody: the bytes are not decoded"
    log, _ = _chained(file.schema, file.schema_checkpoint)
    if file.schema_checkpoint.note != file.checkpoint.note:
        raise ProofError("the schema is proven in another state of the meta log than the record")
    if log.origin.split("/")[1] != SCHEMAS_OF_ALL:
        raise ProofError("the schema is not from the log of the schemas")
    _signers(file.schema.note, trust.keys)
    schema = stated_schema(Record.read(file.schema.leaf))
    if header_of(record.value) != schema.header:
        raise DecodingError("the value was written with another schema")
    return schema, f"the log of the schemas, index {file.schema.index}, sealed by the same key"


def _timestamps(file: ProofFile, note: Note, trust: Trust) -> tuple[Stamped, ...]:
    if not trust.authorities:
        return ()
    if not file.timestamps:
        raise TimestampError("no time stamp is in the file, and one is asked for")
    # What is stamped is the checkpoint as the sealer signed it, before any witness.
    sealed = str(Note(note.text, note.signatures[:1]))
    return tuple(
        Stamped(by=stamped_by(token), at=at)
        for token in file.timestamps
        if (at := verify_timestamp(sealed, token, trust.authorities))
    )


def _unchecked(file: ProofFile, note: Note, trust: Trust) -> tuple[str, ...]:
    known = {(key.name, key.key_id) for key in (*trust.keys, *trust.witnesses)}
    strangers = [one.name for one in note.signatures if (one.name, one.key_id) not in known]
    stamps = ["a time stamp"] * (len(file.timestamps) if not trust.authorities else 0)
    return tuple([f"a signature of {name}" for name in strangers] + stamps)
