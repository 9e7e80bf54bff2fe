"""The ledger against the definitions of RFC 6962, 2.1, written out as they stand there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inzage.sinks.ledger.compact_range import CompactRange, Subtree
from inzage.sinks.ledger.hashing import hash_leaves
from inzage.sinks.ledger.proofs import ProofError, verify_consistency, verify_inclusion
from inzage.sinks.ledger.tree import Tree

LEAVES = [number.to_bytes(3, "big") for number in range(3000)]
HASHES = hash_leaves(LEAVES)


def merkle_tree_hash(leaves: list[bytes]) -> bytes:
    """MTH(D[n])."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return sha256(b"\x00" + leaves[0]).digest()
    split = largest_power_of_two_below(len(leaves))
    return sha256(b"\x01" + merkle_tree_hash(leaves[:split]) + merkle_tree_hash(leaves[split:])).digest()


def path(index: int, leaves: list[bytes]) -> list[bytes]:
    """PATH(m, D[n])."""
    if len(leaves) == 1:
        return []
    split = largest_power_of_two_below(len(leaves))
    if index < split:
        return [*path(index, leaves[:split]), merkle_tree_hash(leaves[split:])]
    return [*path(index - split, leaves[split:]), merkle_tree_hash(leaves[:split])]


def subproof(size: int, leaves: list[bytes], whole: bool) -> list[bytes]:
    """SUBPROOF(m, D[n], b)."""
    if size == len(leaves):
        return [] if whole else [merkle_tree_hash(leaves)]
    split = largest_power_of_two_below(len(leaves))
    if size <= split:
        return [*subproof(size, leaves[:split], whole), merkle_tree_hash(leaves[split:])]
    return [*subproof(size - split, leaves[split:], False), merkle_tree_hash(leaves[:split])]


def largest_power_of_two_below(size: int) -> int:
    power = 1
    while power * 2 < size:
        power *= 2
    return power


def stored(size: int) -> Tree:
    """A tree that reads leaf hashes, and the subtrees a compact range gave out."""
    rows: dict[int, dict[int, bytes]] = {0: dict(enumerate(HASHES[:size]))}
    for level, index, found in CompactRange().extend(HASHES[:size]):
        rows.setdefault(level, {})[index] = found
    return Tree(size, lambda level, first, count: [rows[level][at] for at in range(first, first + count)])


sizes = st.integers(0, len(LEAVES)) | st.sampled_from([255, 256, 257, 511, 512, 513, 1024, 2048])


@given(st.lists(st.integers(0, 700), max_size=6))
def test_a_compact_range_has_the_root_of_the_tree_however_it_was_cut(cuts: list[int]) -> None:
    tree, at = CompactRange(), 0
    subtrees: list[Subtree] = []
    for cut in cuts:
        subtrees += tree.extend(HASHES[at : at + cut])
        at = min(at + cut, len(HASHES))
        tree = CompactRange.of(tree.size, tree.hashes())
    assert (tree.size, tree.root()) == (at, merkle_tree_hash(LEAVES[:at]))
    assert [one.number for one in subtrees] == list(range(at // 256))
    assert all(one.hash == merkle_tree_hash(LEAVES[one.number * 256 : one.number * 256 + 256]) for one in subtrees)


@given(sizes.filter(bool), st.data())
def test_inclusion(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    proof = stored(size).inclusion_proof(index)
    root = merkle_tree_hash(LEAVES[:size])
    assert proof == path(index, LEAVES[:size])
    verify_inclusion(index, size, HASHES[index], proof, root)
    with pytest.raises(ProofError):
        verify_inclusion(index, size, HASHES[(index + 1) % len(HASHES)], proof, root)
    with pytest.raises(ProofError):
        verify_inclusion(index, size, HASHES[index], [*proof, root], root)
    if proof:
        at = data.draw(st.integers(0, len(proof) - 1))
        changed = [bytes(32) if place == at else one for place, one in enumerate(proof)]
        with pytest.raises(ProofError):
            verify_inclusion(index, size, HASHES[index], changed, root)


@given(sizes.filter(bool), st.data())
def test_with_the_edge_no_other_tile_of_leaves_is_read(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    whole, tree = stored(size), CompactRange()
    tree.extend(HASHES[:size])

    def read(level: int, first: int, count: int) -> Sequence[bytes]:
        assert level or first == index // 256 * 256
        return whole._read(level, first, count)

    edge = {(level, number): found for level, number, found in tree.edge()}
    assert sum(1 << level for level, _ in edge) == size % 256
    assert Tree(size, read, edge=edge).inclusion_proof(index) == path(index, LEAVES[:size])


@given(sizes.filter(bool), st.data())
def test_consistency(size: int, data: st.DataObject) -> None:
    before = data.draw(st.integers(1, size))
    proof = stored(size).consistency_proof(before)
    old, new = merkle_tree_hash(LEAVES[:before]), merkle_tree_hash(LEAVES[:size])
    assert proof == subproof(before, LEAVES[:size], True)
    verify_consistency(before, size, old, new, proof)
    if before != size:
        with pytest.raises(ProofError):
            verify_consistency(before, size, new, old, proof)
        with pytest.raises(ProofError):
            verify_consistency(before, size, old, new, proof[:-1])
        with pytest.raises(ProofError):
            verify_consistency(before - 1, size, old, new, proof)


def test_a_tree_reads_few_subtrees() -> None:
    """A proof reads one tile a level: 256 leaf hashes, not all of them."""
    tree = CompactRange()
    rows: dict[int, dict[int, bytes]] = {}
    for level, index, found in tree.extend(HASHES * 50):
        rows.setdefault(level, {})[index] = found
    read: list[tuple[int, int]] = []

    def note(level: int, first: int, count: int) -> list[bytes]:
        read.append((level, count))
        if level == 0:
            return [HASHES[at % len(HASHES)] for at in range(first, first + count)]
        return [rows[level][at] for at in range(first, first + count)]

    proof = Tree(tree.size, note).inclusion_proof(77_777)
    verify_inclusion(77_777, tree.size, HASHES[77_777 % len(HASHES)], proof, tree.root())
    assert sum(count for level, count in read if level == 0) <= 512


def test_an_empty_tree() -> None:
    assert CompactRange().root() == Tree(0, lambda *_: []).root() == sha256(b"").digest()
    with pytest.raises(ValueError):
        CompactRange.of(3, [bytes(32)])


@given(sizes.filter(bool), st.data())
def test_what_stays_is_proven_from_the_frontier_of_what_was_dropped(size: int, data: st.DataObject) -> None:
    """The leaves below an index are gone; stored subtrees stay, as they stand in checkpoints."""
    dropped = data.draw(st.integers(0, size - 1))
    whole = stored(size)
    frontier = CompactRange.of(dropped, whole.frontier(dropped))
    assert frontier.root() == merkle_tree_hash(LEAVES[:dropped])
    rest = Tree(size, keeping(size, dropped), frontier)
    index = data.draw(st.integers(dropped, size - 1))
    assert rest.root() == merkle_tree_hash(LEAVES[:size])
    assert rest.inclusion_proof(index) == path(index, LEAVES[:size])
    further = data.draw(st.integers(max(1, dropped), size))
    assert rest.frontier(further) == whole.frontier(further)
    assert rest.consistency_proof(further) == subproof(further, LEAVES[:size], True)


def keeping(size: int, dropped: int) -> Callable[[int, int, int], Sequence[bytes]]:
    """Reads as `stored` does, and fails when it is asked for a leaf that was dropped."""
    read = stored(size)._read

    def checked(level: int, first: int, count: int) -> Sequence[bytes]:
        assert level or first >= dropped
        return read(level, first, count)

    return checked
