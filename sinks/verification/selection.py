"""Decides whether chosen rows of a log are those that were sealed, by inclusion in its newest checkpoint.

The path to the root goes through the leaf hashes of a row's neighbours and the subtree roots that checkpoints claim.
Neither need be believed: a wrong one does not lead to the signed root.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby

from inzage.sinks.ledger.proofs import ProofError, verify_inclusion
from inzage.sinks.ledger.tree import TILE_WIDTH, Tree
from inzage.sinks.verification.columns import ColumnCheck
from inzage.sinks.verification.examination import LogReport, Step
from inzage.sinks.verification.finding import runs, tamper
from inzage.sinks.verification.kept import Extent
from inzage.sinks.verification.leaf import Leaves, leaf_hashes
from inzage.sinks.verification.meta_log import LogEvidence
from inzage.sinks.verification.trail_rows import TrailRows


class Selection:
    """Chosen leaves of one log; `run` yields progress, `report` is whole when it ended."""

    def __init__(
        self,
        rows: TrailRows,
        extents: Sequence[Extent],
        evidence: LogEvidence,
        columns: ColumnCheck | None,
        indexes: Iterable[int],
    ) -> None:
        self._rows, self._extents, self._evidence, self._columns = rows, extents, evidence, columns
        self._indexes = sorted(set(indexes))
        pruned = evidence.pruned
        self._base = pruned.minimum_offset - pruned.minimum_index if pruned else evidence.base
        self._tiles: dict[int, list[bytes]] = {}
        self._tree = Tree(evidence.size, self._read)
        self.report = LogReport(evidence.origin, None)

    def run(self) -> Iterator[Step]:
        """Verify the chosen leaves, those of one subtree of 256 a step."""
        for tile, chosen in groupby(self._indexes, key=lambda index: index // TILE_WIDTH):
            wanted = list(chosen)
            self._tile(tile, wanted)
            yield Step(self._evidence.origin, len(wanted))
        self.report.findings = runs(self.report.findings)

    def _tile(self, tile: int, wanted: Sequence[int]) -> None:
        log, size = self._evidence.origin, self._evidence.size
        first, end = tile * TILE_WIDTH, min((tile + 1) * TILE_WIDTH, size)
        leaves = self._rows.leaves(self._extents, self._base + first, self._base + end)
        self._tiles = {tile: leaves.hashes}
        made = dict(zip((offset - self._base for offset in leaves.offsets), leaf_hashes(leaves), strict=True))
        claimed = dict(zip(made, leaves.hashes, strict=False))
        for index in wanted:
            hashed = made.get(index)
            if hashed is None:
                self._say("row.missing", "the row is not there", index)
                continue
            self.report.leaves += 1
            if hashed != claimed[index]:
                self._say("row.changed", "what the row holds does not hash to its leaf hash", index)
            try:
                proof = self._tree.inclusion_proof(index)
                verify_inclusion(index, size, hashed, proof, self._evidence.roots[size])
            except (ProofError, ValueError):
                what = "the row does not lead to the sealed root: it, a neighbour, or a claimed subtree was changed"
                self.report.findings.append(tamper("log.root", log, what, index))
        if self._columns:
            self._examine_columns(leaves, {self._base + index for index in wanted})

    def _examine_columns(self, leaves: Leaves, offsets: set[int]) -> None:
        assert self._columns
        for extent in self._extents:
            places = [
                place
                for place, offset in enumerate(leaves.offsets)
                if offset in offsets and leaves.tables[place] == extent.table.name
            ]
            if places:
                rows = leaves.chosen(places)
                first, end = rows.offsets[0], rows.offsets[-1] + 1
                self.report.findings += self._columns.examine(extent, self._base, rows, first, end)
                self.report.decoded += len(places)

    def _read(self, level: int, first: int, count: int) -> Sequence[bytes]:
        """Rows of the tree: claimed leaf hashes and claimed subtrees; raises `ValueError` where one is not there."""
        if level == 0:
            tile = first // TILE_WIDTH
            if tile not in self._tiles:
                low = self._base + first
                self._tiles[tile] = self._rows.leaves(self._extents, low, low + count).hashes
            return self._tiles[tile]
        tiles = self._evidence.tiles
        claims: Mapping[int, set[bytes]] = tiles if level == 8 else _of_level(self._evidence, level)
        return [min(claims[number]) for number in range(first, first + count) if claims.get(number)]

    def _say(self, code: str, what: str, index: int) -> None:
        self.report.findings.append(tamper(code, self._evidence.origin, what, index))  # type: ignore[arg-type]


def _of_level(evidence: LogEvidence, level: int) -> dict[int, set[bytes]]:
    return {number: found for (height, number), found in evidence.upper.items() if height == level}


def draw(logs: Mapping[str, tuple[int, int]], count: int, seed: int) -> dict[str, list[int]]:
    """`count` leaves at random from logs whose leaves are `first` up to `end`; the same seed draws the same."""
    chance = random.Random(seed)  # noqa: S311 # a sample, not a secret
    spans = [(origin, first, end) for origin, (first, end) in sorted(logs.items()) if end > first]
    total = sum(end - first for _, first, end in spans)
    drawn: dict[str, list[int]] = {}
    for place in sorted(chance.sample(range(total), min(count, total))):
        for origin, first, end in spans:
            if place < end - first:
                drawn.setdefault(origin, []).append(first + place)
                break
            place -= end - first
    return drawn
