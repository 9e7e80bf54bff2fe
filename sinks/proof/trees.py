"""Keeps the trees that a proof is made from: hashes read ahead, together, and then what those lacked.

Nearly all leaves of a log of events are events: what else stands there is asked for only where they leave holes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial

from inzage.sinks.ledger.compact_range import TILE_HEIGHT, CompactRange
from inzage.sinks.ledger.hashing import hash_leaf
from inzage.sinks.ledger.proofs import ProofError
from inzage.sinks.ledger.tree import TILE_WIDTH, Tree
from inzage.sinks.proof.evidence import AFTER, Place, Sealed, record_of
from inzage.sinks.proof.record import Record
from inzage.sinks.proof.trail_reader import TrailReader

_SOON = 1 << 17
"""Leaves within which the next checkpoint nearly always comes; where it does not, more is read."""
Hashes = Mapping[tuple[int, int], bytes]
"""The roots of subtrees of a log by level and number; those of level 0 are leaves."""


@dataclass(slots=True)
class Neighbourhood:
    """A record and the leaf hashes of its tile, as far as they were read; `base` is the offset its log begins at."""

    place: Place
    base: int
    record: Record | None = None
    leaves: dict[tuple[int, int], bytes] = field(default_factory=dict)

    @property
    def first(self) -> int:
        """The first leaf of the tile."""
        return self.place.index // TILE_WIDTH * TILE_WIDTH

    def read(self, trail: TrailReader, query: str = "proof_leaves") -> Neighbourhood:
        """Read the tile, if its log is one of events, from the events or from what stands among them."""
        if self.place.table in ("events", "facts"):
            low, at = self.first + self.base, self.place.index + self.base
            rows = trail.select(query, origin=self.place.origin, low=low, high=low + TILE_WIDTH - 1, at=at)
            for offset, leaf_hash, *said in rows:
                self.leaves[0, offset - self.base] = leaf_hash
                if offset == at:
                    self.record = record_of(offset, *said)
        return self

    def within(self, trail: TrailReader, log: Sealed) -> Neighbourhood:
        """The neighbourhood as the log's checkpoint has it; what it lacks is read, seldom anything."""
        if self.base != log.base:
            return Neighbourhood(self.place, log.base).read(trail).within(trail, log)
        tile = range(self.first, min(self.first + TILE_WIDTH, log.size))
        if self.record is None or any((0, index) not in self.leaves for index in tile):
            self.read(trail, "proof_neighbours")
        return self


def subtrees_around(trail: TrailReader, place: Place, log: Sealed, meta_index: int) -> Mapping[str, Hashes]:
    """Read the subtrees of the log, and of the meta log around `meta_index`, by origin."""
    found: dict[str, dict[tuple[int, int], bytes]] = {place.origin: {}, place.meta_origin: {}}
    runs = {at >> 2 * TILE_HEIGHT for at in (place.index, log.size, meta_index, meta_index + AFTER)}
    rows = trail.select(
        "proof_subtrees",
        origin=place.origin,
        meta_origin=place.meta_origin,
        size=max(log.size, meta_index + AFTER),
        runs=sorted(runs | {run + 1 for run in runs}),  # the last of a run are known a little later
    )
    for origin, subtrees in rows:
        found[origin.decode()].update(((level, number), one) for level, number, one in subtrees)
    return found


class Trees:
    """The trees of the logs of one installation, as they stand in the trail."""

    def __init__(self, trail: TrailReader) -> None:
        self._trail = trail
        self._known: dict[tuple[str, int, int], bytes] = {}

    def learn(self, origin: str, hashes: Hashes) -> None:
        """Take what was read of a log; only what is missing then is asked for."""
        self._known.update(((origin, level, number), one) for (level, number), one in hashes.items())

    def log(self, sealed: Sealed, dropped: CompactRange | None = None) -> Tree:
        """The tree of a log at a checkpoint; of the leaves in `dropped` only their frontier stands."""
        return Tree(sealed.size, partial(self._read, sealed, False), dropped, sealed.edge)

    def meta(self, sealed: Sealed) -> Tree:
        """The tree of the meta log at a checkpoint, whose leaves are the notes of all others."""
        return Tree(sealed.size, partial(self._read, sealed, True))

    def record(self, place: Place, sealed: Sealed) -> Record:
        """The record at `place`, whichever table holds it; raises `ProofError` where none does."""
        for said in self._trail.select("proof_record", log_id=place.origin, offset=place.index + sealed.base):
            return record_of(*said)
        raise ProofError(f"{place.origin}: the record at index {place.index} is missing")

    def _read(self, sealed: Sealed, meta: bool, level: int, first: int, count: int) -> list[bytes]:
        wanted = [(sealed.origin, level, number) for number in range(first, first + count)]
        if any(one not in self._known for one in wanted):
            if level:
                self._read_subtrees(sealed, level, first, count)
            else:
                read = self._notes if meta else self._leaf_hashes
                found = read(sealed, first, first + count - 1)
                self._known.update(((sealed.origin, 0, index), one) for index, one in found)
        return [self._known[one] for one in wanted if one in self._known]

    def _leaf_hashes(self, sealed: Sealed, first: int, last: int) -> Iterable[tuple[int, bytes]]:
        where = {"low": first + sealed.base, "high": last + sealed.base}
        rows = self._trail.select("leaf_hashes", log_id=sealed.origin, **where)
        return ((index, bytes.fromhex(found.decode())) for index, found in rows)

    def _notes(self, sealed: Sealed, first: int, last: int) -> Iterable[tuple[int, bytes]]:
        rows = self._trail.select("meta_notes", cluster=sealed.origin.rpartition("/")[2], low=first, high=last)
        return ((index, hash_leaf(note)) for index, note in rows)

    def _read_subtrees(self, sealed: Sealed, level: int, first: int, count: int) -> None:
        """The roots of one level: each stands in the checkpoint that completed it, soon after its last leaf."""
        beyond = (first + count) << level
        for below in (min(sealed.size, beyond + _SOON), sealed.size):
            rows = self._trail.select(
                "subtrees",
                origin=sealed.origin,
                level=level,
                first=first,
                last=first + count - 1,
                above=(first + 1) << level,
                below=below,
            )
            self._known.update(
                ((sealed.origin, level, number), bytes.fromhex(found.decode())) for number, found in rows
            )
            if len(rows) >= count:
                break
