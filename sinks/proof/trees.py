"""Keeps the trees that a proof is made from: hashes read from the trail in two answers, then what those lacked."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import Executor
from functools import partial
from typing import Any

from inzage.sinks.ledger.compact_range import CompactRange
from inzage.sinks.ledger.hashing import hash_leaf
from inzage.sinks.ledger.proofs import ProofError
from inzage.sinks.ledger.tree import TILE_WIDTH, Tree
from inzage.sinks.proof.evidence import Place, Sealed, Seals, record_of
from inzage.sinks.proof.record import Record
from inzage.sinks.trail import Trail

_NOTE = -1  # in place of a level: the leaf itself, still to be hashed
_NEAR = 4096
"""Offsets between a checkpoint and the others of its tile of the meta log, nearly always."""
_SOON = 1 << 17
"""Leaves within which the next checkpoint nearly always comes; where it does not, more is read."""


class Trees:
    """The trees of the logs of one installation, as they stand in the trail."""

    def __init__(self, trail: Trail) -> None:
        self._trail = trail
        self._known: dict[tuple[str, int, int], bytes] = {}

    def read_around(self, place: Place, seals: Seals, log: Sealed, meta: Sealed, beside: Executor) -> Record:
        """Read the record at `place` and what its proof needs: tiles of its log, its schema's, and the meta log.

        Raises `ProofError` when the record is not where it was found.
        """
        around = beside.submit(self._leaves_around, place, seals, log)
        for origin, level, number, text in self._subtrees_around(place, seals, log, meta):
            known = (origin, max(level, 0), number)
            self._known[known] = hash_leaf(text.encode()) if level == _NOTE else bytes.fromhex(text)
        record = None
        for origin, number, found, *said in around.result():
            self._known[origin, 0, number] = bytes.fromhex(found)
            if (origin, number) == (place.origin, place.index) and said[-1]:
                record = record_of(*said)
        return record or self._record(place, log)

    def _record(self, place: Place, log: Sealed) -> Record:
        """The record, from a table whose rows were not read with its neighbours."""
        for said in self._trail.select("proof_record", log_id=place.origin, offset=place.index + log.base):
            return record_of(*said)
        raise ProofError(f"{place.origin}: the record at index {place.index} is missing")

    def _leaves_around(self, place: Place, seals: Seals, log: Sealed) -> list[tuple[Any, ...]]:
        schema, schema_log = seals.schema, seals.schema_log
        low, high, low2, high2 = _tiles(log, place.index)
        schema_low, schema_high, *_ = _tiles(schema_log, schema.index) if schema and schema_log else (1, 0)
        base = schema_log.base if schema_log else 0
        return self._trail.select(
            "proof_leaves",
            origin=place.origin,
            index=place.index,
            **{name: at + log.base for name, at in {"low": low, "high": high, "low2": low2, "high2": high2}.items()},
            schema_origin=schema_log.origin if schema_log else "",
            schema_low=schema_low + base,
            schema_high=schema_high + base,
        )

    def _subtrees_around(self, place: Place, seals: Seals, log: Sealed, meta: Sealed) -> list[tuple[Any, ...]]:
        places = [one.meta_index for one in (log, seals.schema_log) if one]
        meta_low, meta_high, meta_low2, meta_high2 = _tiles(meta, min(places))
        schema_at = seals.schema_log.kept_at if seals.schema_log else 0
        tile = place.index >> 16 << 8, meta.size >> 16 << 8
        return self._trail.select(
            "proof_subtrees",
            origin=place.origin,
            meta_origin=meta.origin,
            meta_log=meta.kept_in,
            meta_from=max(0, meta.kept_at - _NEAR),
            meta_until=meta.kept_at,
            schema_from=max(0, schema_at - _NEAR),
            schema_until=schema_at + _NEAR,
            meta_low=meta_low,
            meta_high=meta_high,
            meta_low2=meta_low2,
            meta_high2=meta_high2,
            size=log.size,
            meta_size=meta.size,
            tree_low=min(tile),
            tree_high=max(tile) + TILE_WIDTH - 1,
            tree_low2=log.size >> 16 << 8,
            tree_high2=(log.size >> 16 << 8) + TILE_WIDTH - 1,
        )

    def log(self, sealed: Sealed, dropped: CompactRange | None = None) -> Tree:
        """The tree of a log at a checkpoint; of the leaves in `dropped` only their frontier stands."""
        return Tree(sealed.size, partial(self._read, sealed, False), dropped)

    def meta(self, sealed: Sealed) -> Tree:
        """The tree of the meta log at a checkpoint, whose leaves are the notes of all others."""
        return Tree(sealed.size, partial(self._read, sealed, True))

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
        return ((index, bytes.fromhex(found)) for index, found in rows)

    def _notes(self, sealed: Sealed, first: int, last: int) -> Iterable[tuple[int, bytes]]:
        rows = self._trail.select("meta_notes", cluster=sealed.origin.rpartition("/")[2], low=first, high=last)
        return ((index, hash_leaf(note.encode())) for index, note in rows)

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
            self._known.update(((sealed.origin, level, number), bytes.fromhex(found)) for number, found in rows)
            if len(rows) >= count:
                break


def _tiles(sealed: Sealed, index: int) -> tuple[int, int, int, int]:
    """First and last leaf of the tile of `index`, and of the log's last tile."""
    last = sealed.size - 1
    first, end = index // TILE_WIDTH * TILE_WIDTH, last // TILE_WIDTH * TILE_WIDTH
    return first, min(first + TILE_WIDTH - 1, last), end, last
