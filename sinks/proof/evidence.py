"""Keeps how a proof's parts are read from the trail: the record, what was signed about it, and the hashes around it.

What is read is evidence, not truth: `prove` checks each proof it makes before it hands it out. One answer brings all
that most proofs need; whatever it lacks is read apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from inzage.schemas.framing import schema_name
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


@dataclass(frozen=True, slots=True)
class Sealed:
    """A checkpoint as the trail holds it. `meta_index` is -1 for one of the meta log.

    `kept_in` and `kept_at` are the log of the topic of checkpoints and the offset at which the record of it stands.
    """

    origin: str
    size: int
    note: str
    base: int
    meta_index: int
    kept_in: str
    kept_at: int


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
    schema = _schema_row(trail, row.record.value)
    of_schema = {"schema_origin": schema.origin if schema else "", "schema_index": schema.index if schema else 0}
    said = trail.select("proof_checkpoints", origin=row.origin, index=row.index, **of_schema)
    found = {sealed.origin: sealed for sealed in (Sealed(*one) for one in said)}
    log, schema_log = found.get(row.origin), found.get(schema.origin) if schema else None
    seals = Seals(log, schema if schema_log else None, schema_log)
    if log:
        above = max(log.meta_index, schema_log.meta_index if schema_log else 0)
        _add_meta(seals, row, trail.select("proof_meta", meta_origin=row.meta_origin, above=above, origin=row.origin))
    return seals


def _schema_row(trail: Trail, value: bytes | None) -> Row | None:
    """The first record that stated the schema which a value names."""
    named = schema_name(value)
    if not named:
        return None
    found = trail.select("proof_schema", named=named)
    return next((Row(origin, index, _record(*record)) for origin, index, *record in found), None)


def _add_meta(seals: Seals, row: Row, found: Iterable[tuple[Any, ...]]) -> None:
    for what, size, note, token, hashes, kept_in, kept_at in found:
        if what == "meta":
            seals.meta = Sealed(row.meta_origin, size, note, 0, -1, kept_in, kept_at)
        elif what == "attestation":
            seals.attestations.append(Attestation(size, note, bytes.fromhex(token) or None))
        else:
            seals.pruned = _frontier(size, hashes)


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
