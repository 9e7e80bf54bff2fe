"""Makes proofs from the complete subtrees of a tree (RFC 6962, 2.1.1 and 2.1.2), wherever those are kept.

Subtrees are read tile by tile: only levels 0, 8, 16 ... are stored, the levels between are hashed again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from inzage.sinks.ledger.compact_range import TILE_HEIGHT, CompactRange
from inzage.sinks.ledger.hashing import EMPTY_ROOT, hash_node, hash_pairs

TILE_WIDTH = 1 << TILE_HEIGHT

ReadRow = Callable[[int, int, int], Sequence[bytes]]
"""`(level, first, count)`: the roots of complete subtrees `first` to `first + count` of a level 0, 8, 16 ..."""


class Tree:
    """A tree of `size` leaves whose stored levels `read` gives; each tile is read once.

    The leaves of `dropped` are gone and only their frontier was kept, which is all a proof of the others needs.
    `edge`: roots by level and number that are known, so that the last tile is not read for them.
    """

    def __init__(
        self,
        size: int,
        read: ReadRow,
        dropped: CompactRange | None = None,
        edge: Mapping[tuple[int, int], bytes] | None = None,
    ) -> None:
        self.size = size
        self._read = read
        self._dropped = dropped or CompactRange()
        self._edge = edge or {}
        self._tiles: dict[tuple[int, int], list[list[bytes]]] = {}

    def root(self, size: int | None = None) -> bytes:
        """The root of the first `size` leaves, of all when not stated."""
        size = self.size if size is None else size
        return self._range_root(0, size) if size else EMPTY_ROOT

    def inclusion_proof(self, index: int, size: int | None = None) -> list[bytes]:
        """PATH(index, D[size]); raises `ValueError` for a leaf that is not in the tree."""
        size = self.size if size is None else size
        if not 0 <= index < size <= self.size:
            raise ValueError(f"leaf {index} of {size}, in a tree of {self.size}")
        proof = []
        low, high = 0, size
        while high - low > 1:
            middle = low + _split(high - low)
            if index < middle:
                proof.append(self._range_root(middle, high))
                high = middle
            else:
                proof.append(self._range_root(low, middle))
                low = middle
        return proof[::-1]

    def consistency_proof(self, size1: int, size2: int | None = None) -> list[bytes]:
        """PROOF(size1, D[size2]), empty for equal sizes; raises `ValueError` for sizes that cannot be."""
        size2 = self.size if size2 is None else size2
        if not 0 < size1 <= size2 <= self.size:
            raise ValueError(f"from {size1} to {size2} leaves, in a tree of {self.size}")
        proof = []
        low, high, whole = 0, size2, True
        while high != size1:
            middle = low + _split(high - low)
            if size1 <= middle:
                proof.append(self._range_root(middle, high))
                high = middle
            else:
                proof.append(self._range_root(low, middle))
                low, whole = middle, False
        if not whole:
            proof.append(self._range_root(low, high))
        return proof[::-1]

    def _range_root(self, low: int, high: int) -> bytes:
        """The root over leaves `low` to `high`, a range that stands in the tree as one subtree."""
        parts = []
        while low < high:
            level = min((low & -low).bit_length() - 1 if low else 64, (high - low).bit_length() - 1)
            parts.append(self._node(level, low >> level))
            low += 1 << level
        root = parts.pop()
        while parts:
            root = hash_node(parts.pop(), root)
        return root

    def _node(self, level: int, index: int) -> bytes:
        if (level, index) in self._edge:
            return self._edge[level, index]
        base, shift = level - level % TILE_HEIGHT, level % TILE_HEIGHT
        tile, within = divmod(index << shift, TILE_WIDTH)
        rows = self._tiles.get((base, tile))
        if rows is None:
            rows = self._tiles[base, tile] = self._read_tile(base, tile)
        found = rows[shift][within >> shift]
        if not found:
            raise ValueError(f"level {level}: subtree {index} was dropped")
        return found

    def frontier(self, size: int) -> list[bytes]:
        """The roots of the complete subtrees over the first `size` leaves, the largest first."""
        if not 0 <= size <= self.size:
            raise ValueError(f"{size} leaves, in a tree of {self.size}")
        levels = [level for level in reversed(range(size.bit_length())) if size >> level & 1]
        return [self._node(level, (size >> level) - 1) for level in levels]

    def _read_tile(self, base: int, tile: int) -> list[list[bytes]]:
        """The levels of a tile; empty bytes stand for what was dropped."""
        first = tile * TILE_WIDTH
        count = min(TILE_WIDTH, (self.size >> base) - first)
        gone = 0 if base else min(count, max(0, self._dropped.size - first))
        row = list(self._read(base, first + gone, count - gone)) if gone < count else []
        if len(row) != count - gone:
            raise ValueError(f"level {base}: {len(row)} of {count - gone} subtrees from {first + gone} on")
        row = self._restored([b""] * gone + row, base, first)
        rows = [row]
        for level in range(base + 1, base + TILE_HEIGHT):
            pairs = zip(row[: len(row) & ~1 : 2], row[1::2], strict=True)
            if gone:
                row = [hash_node(left, right) if left and right else b"" for left, right in pairs]
                row = self._restored(row, level, first >> level - base)
            else:
                row = hash_pairs(row[: len(row) & ~1])
            rows.append(row)
        return rows

    def _restored(self, row: list[bytes], level: int, first: int) -> list[bytes]:
        """Put in what the frontier of the dropped leaves says of this level: one subtree, or none."""
        kept, dropped = self._dropped.frontier.get(level), self._dropped.size
        place = (dropped >> level) - 1 - first
        if kept and 0 <= place < len(row) and not row[place]:
            row[place] = kept
        return row


def _split(size: int) -> int:
    """The largest power of two below `size`."""
    return 1 << ((size - 1).bit_length() - 1)
