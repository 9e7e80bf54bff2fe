"""Keeps a growing tree in at most 64 hashes: the roots of the complete subtrees from the left, one for each bit of
the size (RFC 9162, 2.1.2). Whole batches are added level by level.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from inzage.sinks.ledger.hashing import EMPTY_ROOT, hash_node, hash_pairs

TILE_HEIGHT = 8
"""Levels of a tile: a tile holds up to 256 hashes of one level that is a multiple of it (C2SP tlog-tiles)."""


class Subtree(NamedTuple):
    """The root of the complete subtree over leaves `number << level` to `(number + 1) << level`, exclusive."""

    level: int
    number: int
    hash: bytes


@dataclass(slots=True)
class CompactRange:
    """A tree of `size` leaves; `frontier` has the root of the complete subtree at each level that is a bit of it."""

    size: int = 0
    frontier: dict[int, bytes] = field(default_factory=dict)

    @classmethod
    def of(cls, size: int, hashes: Sequence[bytes]) -> CompactRange:
        """The tree whose `hashes()` were kept; raises `ValueError` when they are not as many as the size's bits."""
        levels = [level for level in reversed(range(size.bit_length())) if size >> level & 1]
        return cls(size, dict(zip(levels, hashes, strict=True)))

    def hashes(self) -> list[bytes]:
        """The frontier from the left, the largest subtree first."""
        return [self.frontier[level] for level in sorted(self.frontier, reverse=True)]

    def extend(self, leaf_hashes: Sequence[bytes]) -> list[Subtree]:
        """Add leaves; returns the subtrees this completed at levels 8, 16, 24 ... in order of level, then index."""
        completed: list[Subtree] = []
        row, start, level = list(leaf_hashes), self.size, 0
        self.size += len(row)
        while row:
            if level and level % TILE_HEIGHT == 0:
                completed += [Subtree(level, number, found) for number, found in enumerate(row, start)]
            if start & 1:
                row.insert(0, self.frontier.pop(level))
            if len(row) & 1:
                self.frontier[level] = row.pop()
            row, start, level = hash_pairs(row), start >> 1, level + 1
        return completed

    def edge(self) -> list[Subtree]:
        """The complete subtrees of fewer than 256 leaves at the right edge, by level: with those of levels 8, 16 ...
        they are all that the proof of a leaf further left needs.
        """
        low = sorted(level for level in self.frontier if level < TILE_HEIGHT)
        return [Subtree(level, (self.size >> level) - 1, self.frontier[level]) for level in low]

    def root(self) -> bytes:
        """The Merkle tree hash of all leaves."""
        levels = sorted(self.frontier)
        if not levels:
            return EMPTY_ROOT
        root = self.frontier[levels[0]]
        for level in levels[1:]:
            root = hash_node(self.frontier[level], root)
        return root

    def copy(self) -> CompactRange:
        return CompactRange(self.size, dict(self.frontier))
