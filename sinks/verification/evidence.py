"""Keeps what a source says was sealed: checkpoints and statements of retention, as told and not yet believed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from inzage.sinks.ledger.compact_range import TILE_HEIGHT
from inzage.sinks.verification.finding import Finding

META_INDEX_OF_META = -1


@dataclass(frozen=True, slots=True)
class SealedLog:
    """A checkpoint. `meta_index` is -1 for one of the meta log itself; `subtrees` are those of 256 leaves and more;
    `sealed_at` in UTC.
    """

    origin: str
    size: int
    root: bytes
    note: str
    base: int
    meta_index: int
    subtrees: tuple[tuple[int, int, bytes], ...]
    sealed_at: datetime

    @property
    def place(self) -> str:
        return f"{self.origin} of size {self.size}"


def claimed(subtrees: Iterable[tuple[int, int, bytes]]) -> tuple[tuple[int, int, bytes], ...]:
    """What a verifier uses of the subtrees that stand in a checkpoint: those of 256 leaves and more."""
    return tuple(one for one in subtrees if one[0] >= TILE_HEIGHT)


@dataclass(frozen=True, slots=True)
class PrunedLog:
    """A statement that the records below `minimum_index` were dropped."""

    origin: str
    minimum_index: int
    minimum_offset: int
    size: int
    root: bytes
    frontier: tuple[bytes, ...]
    reason: str
    approver: str
    note: str
    meta_index: int
    sealed_at: datetime

    @property
    def place(self) -> str:
        return f"{self.origin} pruned below {self.minimum_index}"


@dataclass(frozen=True, slots=True)
class AttestedLog:
    """A cosignature (`token` None) or a time stamp of a checkpoint of a meta log."""

    origin: str
    size: int
    kind: str
    note: str
    token: bytes | None


@dataclass(frozen=True, slots=True)
class Told:
    """What one source tells: `source` is its name for a person."""

    source: str
    checkpoints: Sequence[SealedLog] = ()
    prunings: Sequence[PrunedLog] = ()
    attestations: Sequence[AttestedLog] = ()
    findings: Sequence[Finding] = ()

    @property
    def statements(self) -> Iterator[SealedLog | PrunedLog]:
        """What is signed by the sealer."""
        yield from self.checkpoints
        yield from self.prunings


def meta_origin_of(origin: str) -> str:
    """The meta log that an origin `inzage/<controller>/<cluster id>/...` belongs to; of a meta log, itself."""
    parts = origin.split("/")
    return f"inzage/meta/{parts[2]}" if len(parts) > 2 else origin
