"""Keeps how a proof's parts are read from the trail: the record, what was signed about it, and the hashes around it.

What is read is evidence, not truth: `prove` checks each proof it makes before it hands it out. Two questions are
asked at a time, of few tables each: most of what ClickHouse needs for an answer it needs to plan it.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field

from inzage.sinks.ledger.compact_range import CompactRange
from inzage.sinks.proof.record import Record, read_headers
from inzage.sinks.trail import Trail


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record stands: its log and its index from zero; `fingerprint` names its schema, empty for none."""

    origin: str
    index: int
    fingerprint: str

    @property
    def meta_origin(self) -> str:
        """The meta log over the record's log."""
        return f"inzage/meta/{self.origin.split('/')[2]}"


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the trail: its log, its place from zero, and the record itself."""

    origin: str
    index: int
    record: Record


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


def places_of(trail: Trail, identifier: str) -> list[Place]:
    """The records with this event_id, fact_id or verdict_id, in the order they were said; at most ten."""
    found = trail.select("proof_event", identifier=identifier) or trail.select("proof_fact", identifier=identifier)
    return [Place(*place) for place in found]


def seals_of(trail: Trail, place: Place, beside: Executor) -> Seals:
    """What was signed about the record at `place`; `beside` looks for its schema meanwhile."""
    stated = beside.submit(_schema, trail, place.fingerprint)
    seals = Seals(_checkpoint_over(trail, place.origin, place.index))
    if seals.log:
        _add_meta(seals, trail, place, seals.log.meta_index)
    schema, schema_log = stated.result()
    if schema_log:
        seals.schema, seals.schema_log = schema, schema_log
        if seals.meta and seals.meta.size <= schema_log.meta_index:  # a schema that was sealed after the record
            _add_meta(seals, trail, place, schema_log.meta_index)
    return seals


def _checkpoint_over(trail: Trail, origin: str, index: int) -> Sealed | None:
    """The smallest checkpoint over a record of a log."""
    return next((Sealed(*one) for one in trail.select("proof_checkpoint", origin=origin, index=index)), None)


def _schema(trail: Trail, fingerprint: str) -> tuple[Row | None, Sealed | None]:
    """The first record that stated the schema, and the smallest checkpoint over it."""
    found = trail.select("proof_schema", named=fingerprint) if fingerprint else ()
    schema = next((Row(origin, index, record_of(*record)) for origin, index, *record in found), None)
    return schema, _checkpoint_over(trail, schema.origin, schema.index) if schema else None


def _add_meta(seals: Seals, trail: Trail, place: Place, above: int) -> None:
    """The smallest checkpoint of the meta log over its entry `above`, and what was attested of it and later ones."""
    seals.meta, seals.attestations = None, []
    found = trail.select("proof_meta", meta_origin=place.meta_origin, above=above, origin=place.origin)
    for what, size, note, token, hashes, kept_in, kept_at in found:
        if what == "meta":
            seals.meta = Sealed(place.meta_origin, size, note, 0, -1, kept_in, kept_at)
        elif what == "attestation":
            seals.attestations.append(Attestation(size, note, bytes.fromhex(token) or None))
        else:
            seals.pruned = _frontier(size, hashes)


def meta_checkpoint(trail: Trail, meta_origin: str, size: int) -> Sealed | None:
    """The meta log's checkpoint of this size."""
    return next((Sealed(*row) for row in trail.select("checkpoint_of", origin=meta_origin, size=size)), None)


def _frontier(size: int, hashes: Sequence[str]) -> CompactRange:
    return CompactRange.of(size, [bytes.fromhex(one) for one in hashes])


def record_of(
    offset: int, timestamp_type: int, milliseconds: int, key: str | None, value: str, headers: str
) -> Record:
    """A record as the queries give it, its bytes in hexadecimal."""
    return Record(
        offset,
        timestamp_type,
        milliseconds,
        None if key is None else bytes.fromhex(key),
        bytes.fromhex(value),
        read_headers(bytes.fromhex(headers)),
    )
