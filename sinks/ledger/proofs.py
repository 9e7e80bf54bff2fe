"""Decides whether a proof holds: inclusion (RFC 9162, 2.1.3.2) and consistency (2.1.4.2) of RFC 6962 trees.

Whatever does not follow from root, size and proof raises `ProofError`; nothing is verified in part.
"""

from __future__ import annotations

from collections.abc import Sequence

from inzage.schemas.errors import TamperError
from inzage.sinks.ledger.hashing import HASH_BYTES, hash_node


class ProofError(TamperError):
    """The proof does not hold."""

    code = "tamper.proof"


def verify_inclusion(index: int, size: int, leaf_hash: bytes, proof: Sequence[bytes], root: bytes) -> None:
    """Check that the leaf at `index`, from zero, is in the tree of `size` leaves with `root`; raises `ProofError`."""
    if not 0 <= index < size:
        raise ProofError(f"index {index} is not within a tree of {size} leaves")
    if len(leaf_hash) != HASH_BYTES:
        raise ProofError(f"a leaf hash has {HASH_BYTES} bytes, not {len(leaf_hash)}")
    at, last, found = index, size - 1, leaf_hash
    for sibling in proof:
        if last == 0:
            raise ProofError("the inclusion proof is longer than the tree is high")
        if at & 1 or at == last:
            found = hash_node(sibling, found)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            found = hash_node(found, sibling)
        at, last = at >> 1, last >> 1
    if last:
        raise ProofError("the inclusion proof is shorter than the tree is high")
    if found != root:
        raise ProofError("the inclusion proof leads to another root")


def verify_consistency(size1: int, size2: int, root1: bytes, root2: bytes, proof: Sequence[bytes]) -> None:
    """Check that the tree of `size1` leaves is the beginning of the one of `size2`; raises `ProofError`.

    From an empty tree nothing follows, so there is no proof from one either, unless both are empty.
    """
    if not 0 <= size1 <= size2:
        raise ProofError(f"a tree of {size1} leaves does not come before one of {size2}")
    if size1 == size2:
        if proof:
            raise ProofError("trees of one size need no proof")
        if root1 != root2:
            raise ProofError("two roots of one size")
        return
    if size1 == 0:
        raise ProofError("nothing can be proven of an empty tree")
    if not proof:
        raise ProofError("the consistency proof is empty")
    path = list(proof) if size1 & (size1 - 1) else [root1, *proof]
    at, last = size1 - 1, size2 - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    old = new = path[0]
    for sibling in path[1:]:
        if last == 0:
            raise ProofError("the consistency proof is longer than the tree is high")
        if at & 1 or at == last:
            old, new = hash_node(sibling, old), hash_node(sibling, new)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            new = hash_node(new, sibling)
        at, last = at >> 1, last >> 1
    if last:
        raise ProofError("the consistency proof is shorter than the tree is high")
    if old != root1:
        raise ProofError("the consistency proof leads to another root of the smaller tree")
    if new != root2:
        raise ProofError("the consistency proof leads to another root of the larger tree")
