"""A meta log as a sealer keeps one: leaves, signed checkpoints of any size and proofs; and a forked one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from inzage.sinks.ledger.checkpoint import Checkpoint
from inzage.sinks.ledger.compact_range import CompactRange
from inzage.sinks.ledger.hashing import hash_leaf
from inzage.sinks.ledger.note import Note, Signer
from inzage.sinks.ledger.tree import Tree
from inzage.sinks.witness.protocol import Submission

ORIGIN = "inzage/meta/cluster"


@dataclass
class MetaLog:
    """Leaves 0, 1, 2 ...; from `forked_at` on they are others."""

    signer: Signer
    leaves: int = 600
    forked_at: int | None = None
    origin: str = ORIGIN
    rows: dict[int, list[bytes]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        fork = self.leaves if self.forked_at is None else self.forked_at
        self.rows[0] = [hash_leaf(f"{number}{'!' * (number >= fork)}".encode()) for number in range(self.leaves)]
        for level, _, found in CompactRange().extend(self.rows[0]):
            self.rows.setdefault(level, []).append(found)

    def read(self, level: int, first: int, count: int) -> Sequence[bytes]:
        return self.rows[level][first : first + count]

    def tree(self, size: int) -> Tree:
        return Tree(size, self.read)

    def checkpoint(self, size: int) -> Checkpoint:
        return Checkpoint(self.origin, size, self.tree(size).root())

    def note(self, size: int) -> Note:
        text = self.checkpoint(size).text
        return Note(text).with_signatures([self.signer.sign(text)])

    def submission(self, old: int, size: int) -> Submission:
        """From `old` to `size` with the proof that holds; without one where there can be none."""
        proof = self.tree(size).consistency_proof(old) if 0 < old <= size else []
        return Submission(old, tuple(proof), self.note(size), self.checkpoint(size))
