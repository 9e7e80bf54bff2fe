"""Decides how a log grows as its records are read, and at which sizes it is cut to be sealed.

The next offset is the last plus one: anything else means that a record was lost or removed, and stops the sealer.
A log whose checkpoint is public already must come to the same root before it is cut again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from aiokafka import ConsumerRecord

from inzage.schemas.errors import TamperError
from inzage.sinks.leaf import leaf_hashes
from inzage.sinks.ledger.compact_range import CompactRange, Subtree
from inzage.sinks.sealing.round import Cut
from inzage.sinks.sealing.state import Awaited, Standing


@dataclass(slots=True)
class Growth:
    """A log of `origin` that began at offset `base`, and its tree so far.

    `sealed` is the size the state has, None for a new log; `awaited` the checkpoint it must come to first.
    """

    origin: str
    base: int
    tree: CompactRange
    step: int
    sealed: int | None = None
    awaited: Awaited | None = None
    agreed: Standing | None = None
    """What came out as it is public, until the state has it."""
    cuts: list[tuple[Cut, Standing]] = field(default_factory=list)
    subtrees: list[Subtree] = field(default_factory=list)
    cut_at: int = 0
    """The size at the cut before."""
    since: float = 0.0
    """When the first record came that is not yet cut."""

    @property
    def due(self) -> int:
        """The next offset to come."""
        return self.base + self.tree.size

    @property
    def uncut(self) -> int:
        """Records read and not yet in a cut."""
        return 0 if self.awaited else self.tree.size - self.cut_at

    def take(self, records: Sequence[ConsumerRecord], now: float) -> None:
        """Add records as they were fetched, cutting at every `step`; raises `TamperError` for one that is missing, or
        when the root that is public does not come out.
        """
        due = self.due
        if records and records[0].offset < due:  # a fetch may be older than a seek
            records = [record for record in records if record.offset >= due]
        if not records:
            return
        if records[0].offset != due or records[-1].offset - due + 1 != len(records):
            wanted = next(at for at, record in enumerate(records, due) if record.offset != at)
            raise TamperError(f"{self.origin}: offset {wanted} is missing", code="tamper.gap")
        leaves = leaf_hashes(records)
        while leaves:
            if not self.uncut:
                self.since = now
            room = (self.awaited.size if self.awaited else self.cut_at + self.step) - self.tree.size
            self.subtrees += self.tree.extend(leaves[:room])
            leaves = leaves[room:]
            if self.awaited:
                self.agree()
            elif self.uncut >= self.step:
                self.cut()

    def cut(self) -> None:
        """Cut here: what was read is to be sealed."""
        size, root = self.tree.size, self.tree.root()
        cut = Cut(self.origin, self.base, size, root, (*self.subtrees, *self.tree.edge()))
        self.cuts.append((cut, self.standing()))
        self.cut_at, self.subtrees = size, []

    def standing(self) -> Standing:
        """The log as it is now."""
        return Standing(self.origin, self.base, self.tree.copy())

    def agree(self) -> None:
        """Compare with what is public of the log, when it has grown as far; raises `TamperError`."""
        awaited = self.awaited
        if awaited is None or self.tree.size < awaited.size:
            return
        if self.tree.size > awaited.size or self.tree.root() != awaited.root:
            raise TamperError(
                f"{self.origin}: the root of its first {awaited.size} records is not the one that was sealed",
                code="tamper.root",
                hint="Kafka holds other records than when they were sealed",
            )
        self.awaited, self.agreed = None, self.standing()
        self.cut_at, self.subtrees = self.tree.size, []
