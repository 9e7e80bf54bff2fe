"""Decides how a tree is hashed: RFC 6962, 2.1, with SHA-256. Leaves and nodes are kept apart by their first byte."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256

HASH_BYTES = 32
EMPTY_ROOT = sha256().digest()
"""The root of a tree without leaves."""

_LEAF = b"\x00"
_NODE = b"\x01"


def hash_leaf(encoded: bytes) -> bytes:
    """SHA-256(0x00 || L)."""
    return sha256(_LEAF + encoded).digest()


def hash_node(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 || left || right)."""
    return sha256(_NODE + left + right).digest()


def hash_leaves(encoded: Iterable[bytes]) -> list[bytes]:
    """The leaf hash of each."""
    return [sha256(_LEAF + leaf).digest() for leaf in encoded]


def hash_pairs(row: Sequence[bytes]) -> list[bytes]:
    """The parents of an even number of neighbours."""
    return [sha256(_NODE + left + right).digest() for left, right in zip(row[::2], row[1::2], strict=True)]
