"""Makes the proof of one record from the trail, and hands it out only when each of its steps holds.

Of the states of the meta log that cover the record, the earliest that was attested is taken, by witnesses and an
authority where there are both: it says most and dates it best. Nothing beyond the record itself is in the file.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from inzage.schemas.errors import ConfigError, InzageError
from inzage.sinks.ledger.compact_range import CompactRange
from inzage.sinks.ledger.note import Note
from inzage.sinks.ledger.proofs import ProofError
from inzage.sinks.ledger.tree import Tree
from inzage.sinks.proof.check import checked_without_keys
from inzage.sinks.proof.decoding import event_json, schema_known_here, stated_schema
from inzage.sinks.proof.evidence import (
    Attestation,
    Place,
    Row,
    Sealed,
    Seals,
    meta_checkpoint,
    places_of,
    seals_of,
)
from inzage.sinks.proof.proof_file import ProofFile
from inzage.sinks.proof.record import Record
from inzage.sinks.proof.tlog_proof import TlogProof
from inzage.sinks.proof.trees import Trees
from inzage.sinks.trail import Trail


class NotSealedError(InzageError):
    """The record is in the trail, and the sealer has not signed for it yet, or the trail not yet that it did."""

    code = "proof.not-sealed"


@dataclass(frozen=True, slots=True)
class Proven:
    """A proof that holds. `said` is how often the trail has a record with this identifier; the first is proven."""

    file: ProofFile
    record: Record
    origin: str
    index: int
    said: int


def prove(trail: Trail, identifier: str, *, at: int | None = None) -> Proven:
    """Prove the record with this event_id, fact_id or verdict_id; `at` is a size of the meta log, if one is wanted.

    Raises `ConfigError` for an identifier that the trail does not have, `NotSealedError`, and `TamperError` when the
    trail contradicts what was sealed.
    """
    trail = replace(trail, threads=1)
    places = places_of(trail, identifier)
    if not places:
        raise ConfigError("the trail has no event, fact or verdict with this identifier", code="config.identifier")
    place = places[0]
    with ThreadPoolExecutor(1, "prove") as beside:
        seals = seals_of(trail, place, beside)
        log = seals.log
        if log is None:
            raise NotSealedError(f"{place.origin}: index {place.index} is not sealed yet")
        meta, attested = _meta(trail, place, log, seals, at)
        if seals.schema_log and seals.schema_log.meta_index >= meta.size:
            seals.schema = seals.schema_log = None  # it was sealed after the state that is asked for
        schema, schema_log = seals.schema, seals.schema_log
        trees = Trees(trail)
        row = Row(place.origin, place.index, trees.read_around(place, seals, log, meta, beside))
    note = _with_cosignatures(meta.note, attested)
    meta_tree = trees.meta(meta)

    def in_meta(sealed: Sealed) -> TlogProof:
        return TlogProof(sealed.note.encode(), sealed.meta_index, _path(meta_tree, sealed.meta_index, meta), note)

    def in_log(said: Row, sealed: Sealed, dropped: CompactRange | None) -> TlogProof:
        hashes = _path(trees.log(sealed, dropped), said.index, sealed)
        return TlogProof(said.record.leaf(), said.index, hashes, sealed.note)

    file = ProofFile(
        record=in_log(row, log, seals.pruned),
        checkpoint=in_meta(log),
        schema=in_log(schema, schema_log, None) if schema and schema_log else None,
        schema_checkpoint=in_meta(schema_log) if schema_log else None,
        timestamps=tuple(one.token for one in attested if one.token and one.note == meta.note),
        event=_event(row.record, schema),
    )
    checked_without_keys(file)
    return Proven(file, row.record, row.origin, row.index, len(places))


def _path(tree: Tree, index: int, sealed: Sealed) -> tuple[bytes, ...]:
    try:
        return tuple(tree.inclusion_proof(index))
    except ValueError as error:
        raise ProofError(f"{sealed.origin}: rows or checkpoints are missing: {error}") from error


def _meta(
    trail: Trail, place: Place, log: Sealed, seals: Seals, at: int | None
) -> tuple[Sealed, Sequence[Attestation]]:
    """The state of the meta log to prove in, and what was attested of it."""
    found = seals.meta
    if found is None:
        raise NotSealedError(f"{place.meta_origin}: index {log.meta_index} is not sealed yet")
    size = _best(seals.attestations, found.size) if at is None else at
    if found.size != size:
        found = meta_checkpoint(trail, place.meta_origin, size)
    if found is None or found.size <= log.meta_index:
        raise ConfigError(
            f"--at {size}: the trail has no such state of the meta log over this record", code="config.at"
        )
    return found, [one for one in seals.attestations if one.size == found.size]


def _best(attested: Sequence[Attestation], otherwise: int) -> int:
    """The smallest size that has a time stamp and cosignatures, or one of them; `otherwise` when none has."""
    said: dict[int, set[bool]] = {}
    for one in attested:
        said.setdefault(one.size, set()).add(one.token is not None)
    return min(said, key=lambda size: (-len(said[size]), size)) if said else otherwise


def _with_cosignatures(note: str, attested: Sequence[Attestation]) -> str:
    read = Note.read(note)
    more = [signature for one in attested if not one.token for signature in Note.read(one.note).signatures]
    return str(read.with_signatures(more))


def _event(record: Record, schema: Row | None) -> str | None:
    found = stated_schema(schema.record) if schema else schema_known_here(record.value)
    return event_json(record, found) if found else None
