"""Decides which rows are to blame when a root does not follow from the rows, and how to go on after them.

Between the last good checkpoint and the one that does not fit, other hashes are tried until the signed root comes
out: those of Kafka's records, those the rows claim, then the subtree roots that checkpoints claim. Hashes that lead
to the signed root are the ones that were sealed, so what differs from them was changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import permutations, product

from inzage.sinks.ledger.compact_range import TILE_HEIGHT, CompactRange
from inzage.sinks.verification.finding import Finding, tamper

TILE = 1 << TILE_HEIGHT
_EXCHANGED = 4
"""Rows of a subtree whose places are tried in every order: 24 roots of 256 leaves."""


@dataclass(frozen=True, slots=True)
class Row:
    """A leaf as the trail has it: its hash made again, and the one the row claims; None twice for a row missing."""

    made: bytes | None
    claimed: bytes | None


@dataclass(slots=True)
class Narrowed:
    """`tree` is that of the checkpoint when the sealed hashes were found, None when they were not."""

    tree: CompactRange | None
    findings: list[Finding] = field(default_factory=list)


def narrow(
    log: str,
    good: CompactRange,
    root: bytes,
    rows: Sequence[Row],
    tiles: Mapping[int, set[bytes]],
    original: Callable[[int, int], Sequence[bytes] | None],
) -> Narrowed:
    """Find which of `rows`, the leaves from `good.size` on, differ from what `root` seals.

    `tiles` are the claimed roots of subtrees of 256 leaves; `original(first, end)` gives Kafka's leaf hashes, None
    where Kafka no longer has them.
    """
    first, end = good.size, good.size + len(rows)
    if (hashes := original(first, end)) and (tree := _grown(good, hashes)).root() == root:
        return Narrowed(tree, list(_differing(log, first, rows, hashes, "it is not the record that Kafka has")))
    claimed = [row.claimed for row in rows]
    if None not in claimed and (tree := _grown(good, [one for one in claimed if one])).root() == root:
        return Narrowed(tree)  # every row that differs from its own leaf hash was named
    for tail in _tails(rows, end):
        if tree_ := _by_tiles(good, end, root, tiles, tail):
            chosen, tree = tree_
            return Narrowed(tree, list(_in_tiles(log, good, rows, chosen)))
    return Narrowed(None)


def _grown(good: CompactRange, hashes: Sequence[bytes]) -> CompactRange:
    tree = good.copy()
    tree.extend(hashes)
    return tree


def _differing(log: str, first: int, rows: Sequence[Row], hashes: Sequence[bytes], what: str) -> Iterator[Finding]:
    for index, (row, right) in enumerate(zip(rows, hashes, strict=True), first):
        if row.made is not None and row.made != right and row.made == row.claimed:
            yield tamper("leaf.replaced", log, f"row and leaf hash were replaced together: {what}", index)


def _tails(rows: Sequence[Row], end: int) -> Iterator[list[bytes]]:
    """The leaves after the last whole tile: as made, as claimed."""
    count = min(end % TILE, len(rows))
    last = rows[len(rows) - count :]
    for hashes in ([row.made for row in last], [row.claimed for row in last]):
        whole = [one for one in hashes if one is not None]
        if len(whole) == count:
            yield whole


def _by_tiles(
    good: CompactRange, end: int, root: bytes, tiles: Mapping[int, set[bytes]], tail: Sequence[bytes]
) -> tuple[dict[int, bytes], CompactRange] | None:
    """The tiles that lead to `root`, and the tree over them."""
    numbers = range(good.size // TILE, end // TILE)
    if not numbers or any(not tiles.get(number) for number in numbers):
        return None
    whole = {level - TILE_HEIGHT: found for level, found in good.frontier.items() if level >= TILE_HEIGHT}
    disputed = [number for number in numbers if len(tiles[number]) > 1]
    for picked in product(*(sorted(tiles[number]) for number in disputed[:8])):
        chosen = {number: min(tiles[number]) for number in numbers} | dict(zip(disputed, picked, strict=False))
        over = CompactRange(good.size // TILE, dict(whole))
        over.extend([chosen[number] for number in numbers])
        frontier = {level + TILE_HEIGHT: found for level, found in over.frontier.items()}
        tree = CompactRange(over.size * TILE, frontier)
        tree.extend(tail)
        if tree.root() == root:
            return chosen, tree
    return None


def _in_tiles(log: str, good: CompactRange, rows: Sequence[Row], chosen: Mapping[int, bytes]) -> Iterator[Finding]:
    """Which tiles the rows do not lead to, unless rows that were named already explain it."""
    low = {level: found for level, found in good.frontier.items() if level < TILE_HEIGHT}
    before = good.size % TILE
    for number, right in chosen.items():
        start, stop = max(number * TILE, good.size), (number + 1) * TILE
        part = rows[start - good.size : stop - good.size]
        if any(row.made is None for row in part):
            continue  # named as missing; without it nothing can be said of its neighbours
        head = (before, low) if number == good.size // TILE else (0, {})
        if all(_tile_root(head, variant) != right for variant in _variants(part)):
            what = "row and leaf hash were replaced together: one or more rows of this subtree"
            yield tamper("leaf.replaced", log, what, start, stop - 1)


def _variants(part: Sequence[Row]) -> Iterator[list[bytes]]:
    """What the leaves may have been when only rows that were named are wrong: as made, as claimed, or exchanged."""
    yield [row.made for row in part if row.made]
    claimed = [row.claimed for row in part if row.claimed]
    wrong = [place for place, row in enumerate(part) if row.made != row.claimed]
    for order in permutations(wrong) if len(wrong) <= _EXCHANGED else (wrong,):
        exchanged = list(claimed)
        for place, other in zip(wrong, order, strict=True):
            exchanged[place] = claimed[other]
        yield exchanged


def _tile_root(head: tuple[int, Mapping[int, bytes]], leaves: Sequence[bytes]) -> bytes:
    tree = CompactRange(head[0], dict(head[1]))
    tree.extend(leaves)
    return tree.root()
