"""Keeps how a proof's parts are read from the trail: the record, what was signed about it, and the hashes around it.

What is read is evidence, not truth: `prove` checks each proof it makes before it hands it out. One answer brings all
that most proofs need; whatever it lacks is read apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from inzage.schemas.codec import HEADER_BYTES, MARKER
from inzage.sinks.ledger.compact_range import CompactRange
from inzage.sinks.proof.record import Record, read_headers
from inzage.sinks.trail import Trail


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the trail: its log, its place from zero, and the record itself."""

    origin: str
    index: int
    record: Record

    @property
    def meta_origin(self) -> str:
        """The meta log over the row's log."""
        return f"inzage/meta/{self.origin.split('/')[2]}"

    @property
    def fingerprint(self) -> str:
        """Which schema the value names, in hexadecimal; empty when it names none."""
        value = self.record.value or b""
        return value[2:HEADER_BYTES].hex() if value[:2] == MARKER else ""


@dataclass(frozen=True, slots=True)
class Sealed:
    """A checkpoint as the trail holds it. `meta_index` is -1 for one of the meta log."""

    origin: str
    size: int
    note: str
    base: int
    meta_index: int


@dataclass(frozen=True, slots=True)
class Attestation:
    """What somebody outside said of the meta log's checkpoint of `size`; `token` for a time stamp, else None."""

    size: int
    note: str
    token: bytes | None


@dataclass(slots=True)
class Seals:
    """What was signed about one record: None is what the trail does not have.

    `log` and `schema_log` are the smallest checkpoints over the record and over the statement of its schema, `meta`
    the smallest of the meta log over both. `pruned` says what was dropped of the record's log.
    """

    log: Sealed | None = None
    schema: Row | None = None
    schema_log: Sealed | None = None
    meta: Sealed | None = None
    attestations: list[Attestation] = field(default_factory=list)
    pruned: CompactRange = field(default_factory=CompactRange)


def rows_said(trail: Trail, identifier: str) -> list[Row]:
    """The records with this event_id, fact_id or verdict_id, in the order they were said; at most ten."""
    found = trail.select("proof_event", identifier=identifier) or trail.select("proof_fact", identifier=identifier)
    return [Row(origin, index, _record(*record)) for origin, index, *record in found]


def seals_of(trail: Trail, row: Row) -> Seals:
    """What was signed about `row`."""
    where = {"origin": row.origin, "index": row.index, "meta_origin": row.meta_origin}
    (found,) = trail.select_named("proof_seals", fingerprint=row.fingerprint, **where)
    log, schema_log, meta = ([Sealed(*one) for one in found[name]] for name in ("log", "schema_log", "meta"))
    schema = [Row(origin, index, _record(*record)) for origin, index, *record in found["schema"]]
    pruned = [_frontier(size, hashes) for size, hashes in found["pruned"]]
    return Seals(
        log=log[0] if log else None,
        schema=schema[0] if schema and schema_log else None,
        schema_log=schema_log[0] if schema_log else None,
        meta=meta[0] if meta else None,
        attestations=[
            Attestation(size, note, bytes.fromhex(token) or None) for size, note, token in found["attestations"]
        ],
        pruned=pruned[0] if pruned else CompactRange(),
    )


def meta_checkpoint(trail: Trail, meta_origin: str, size: int) -> Sealed | None:
    """The meta log's checkpoint of this size."""
    return next((Sealed(*row) for row in trail.select("checkpoint_of", origin=meta_origin, size=size)), None)


def _frontier(size: int, hashes: Sequence[str]) -> CompactRange:
    return CompactRange.of(size, [bytes.fromhex(one) for one in hashes])


def _record(offset: int, timestamp_type: int, milliseconds: int, key: str | None, value: str, headers: str) -> Record:
    return Record(
        offset,
        timestamp_type,
        milliseconds,
        None if key is None else bytes.fromhex(key),
        bytes.fromhex(value),
        read_headers(bytes.fromhex(headers)),
    )
