"""Keeps how a proof's parts are read from the trail: the record's place, and what was signed about it.

What is read is evidence, not truth: `prove` checks each proof it makes before it hands it out. Most of what
ClickHouse needs for an answer it needs to plan it, some milliseconds for each table; so a table that a proof seldom
needs is asked only when it does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from inzage.sinks.ledger.compact_range import TILE_HEIGHT, CompactRange
from inzage.sinks.ledger.hashing import HASH_BYTES, hash_leaf
from inzage.sinks.ledger.tree import TILE_WIDTH
from inzage.sinks.proof.record import Record, read_headers
from inzage.sinks.proof.trail_reader import TrailReader

NEAR = 4096
"""Offsets between a checkpoint and the others of its tile of the meta log, nearly always."""
AFTER = 256
"""Offsets and entries of the meta log after a checkpoint, within which it is nearly always attested."""
_STATED = 6
"""The column of `proof_schema` that says whether a record stated the schema that is asked for."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record stands: its log, its index from zero, its table; `fingerprint` names its schema, or is empty."""

    origin: str
    index: int
    fingerprint: str
    table: str = "events"

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
    edge: Mapping[tuple[int, int], bytes] = field(default_factory=dict)
    """By level and number: subtrees of fewer than 256 leaves at the right edge of the tree."""


@dataclass(frozen=True, slots=True)
class Stated:
    """The first statement of a schema and the smallest checkpoint over it; `hashes`: leaves around it, by index."""

    row: Row
    log: Sealed
    hashes: Mapping[int, bytes]


@dataclass(frozen=True, slots=True)
class Attestation:
    """What somebody outside said of the meta log's checkpoint of `size`; `token` for a time stamp, else None."""

    size: int
    note: str
    token: bytes | None


@dataclass(frozen=True, slots=True)
class Around:
    """What stands around the checkpoints of a proof.

    `states` are checkpoints of the meta log over them, the smallest first; `attestations` what was attested of those
    and of later ones; `hashes` leaves of the meta log by index.
    """

    states: Sequence[Sealed]
    attestations: Sequence[Attestation]
    hashes: Mapping[int, bytes]


def places_of(trail: TrailReader, identifier: str) -> list[Place]:
    """The records with this event_id, fact_id or verdict_id, in the order they were said."""
    found = trail.select("proof_event", identifier=identifier) or trail.select("proof_fact", identifier=identifier)
    in_order = sorted(found, key=lambda one: (one[3], one[0], one[1]))
    return [
        Place(origin.decode(), index, named.decode(), *(one.decode() for one in table))
        for origin, index, named, _, *table in in_order
    ]


def checkpoint_over(trail: TrailReader, origin: str, index: int) -> Sealed | None:
    """The smallest checkpoint over a record of a log, or over an entry of the meta log."""
    for query in ("proof_checkpoint", "proof_checkpoint_before"):
        for found in trail.select(query, origin=origin, index=index):
            return _sealed(*found)
    return None


def stated(trail: TrailReader, fingerprint: str) -> Stated | None:
    """The statement of the schema that messages name so; None when nobody stated it, or it is not sealed."""
    if not fingerprint:
        return None
    rows = trail.select("proof_schema", named=fingerprint)
    statements = [row for row in rows if row[_STATED]]
    if not statements:
        return None
    kept_in, index, _, offset, timestamp_type, milliseconds, _, *said = min(statements, key=_when)
    origin = kept_in.decode()
    log = checkpoint_over(trail, origin, index)
    if log is None:
        return None
    hashes = {number: leaf_hash for where, number, leaf_hash, *_ in rows if where == kept_in}
    return Stated(Row(origin, index, record_of(offset, timestamp_type, milliseconds, *said)), log, hashes)


def around(
    trail: TrailReader, meta_origin: str, log: Sealed, schema: Sealed | None, known: Mapping[int, bytes]
) -> Around:
    """What stands around the checkpoint of a record's log and that of its schema's.

    `known` are leaves of the meta log by index; the tile of the earlier of the two is not asked for when it is there.
    """
    far, near = sorted((log, schema or log), key=lambda one: one.meta_index)
    until = near.kept_at + AFTER
    (low, high), (first, last) = (max(0, far.kept_at - NEAR), min(far.kept_at + NEAR, until)), tile_of(far)
    if all(index in known for index in range(first, last + 1)):
        low, high, first, last = 1, 0, 1, 0
    rows = trail.select(
        "proof_around",
        kept_in=near.kept_in,
        meta_origin=meta_origin,
        above=near.meta_index,
        after=near.kept_at,
        until=until,
        until2=high,
        from2=low,
        first=tile_of(near)[0],
        last=near.meta_index + AFTER,
        first2=first,
        last2=last,
        **{"from": max(0, near.kept_at - NEAR)},
    )
    states = [
        Sealed(meta_origin, size, note.decode(), 0, -1, near.kept_in, at)
        for what, size, note, _, at in rows
        if what == -1
    ]
    if not states:
        later = checkpoint_over(trail, meta_origin, near.meta_index)
        states = [later] if later else []
    return Around(
        sorted(states, key=lambda one: one.size),
        [Attestation(size, note.decode(), token) for what, size, note, token, _ in rows if what == -2],
        {**known, **{index: hash_leaf(note) for index, _, note, _, _ in rows if index >= 0}},
    )


def tile_of(sealed: Sealed) -> tuple[int, int]:
    """The first and the last leaf of the tile of the meta log in which a checkpoint stands."""
    first = sealed.meta_index // TILE_WIDTH * TILE_WIDTH
    return first, first + TILE_WIDTH - 1


def meta_checkpoint(trail: TrailReader, meta_origin: str, size: int) -> Sealed | None:
    """The meta log's checkpoint of this size."""
    return next((_sealed(*row) for row in trail.select("checkpoint_of", origin=meta_origin, size=size)), None)


def dropped(trail: TrailReader, origin: str) -> CompactRange:
    """What was last stated to be dropped of a log, empty for nothing."""
    for size, hashes in trail.select("proof_dropped", origin=origin):
        return CompactRange.of(size, [hashes[at : at + HASH_BYTES] for at in range(0, len(hashes), HASH_BYTES)])
    return CompactRange()


def record_of(
    offset: int, timestamp_type: int, milliseconds: int, key: bytes | None, value: bytes | None, headers: bytes
) -> Record:
    """A record as the queries give it."""
    return Record(offset, timestamp_type, milliseconds, key, value, read_headers(headers))


def _sealed(
    origin: bytes,
    size: int,
    note: bytes,
    base: int,
    meta_index: int,
    kept_in: bytes,
    kept_at: int,
    subtrees: Iterable[tuple[int, int, bytes]] = (),
) -> Sealed:
    edge = {(level, number): found for level, number, found in subtrees if level < TILE_HEIGHT}
    return Sealed(origin.decode(), size, note.decode(), base, meta_index, kept_in.decode(), kept_at, edge)


def _when(statement: tuple[Any, ...]) -> tuple[int, int]:
    """When a schema was stated, to say which was first: the broker's time, the offset."""
    _, _, _, offset, _, milliseconds, *_ = statement
    return milliseconds, offset
