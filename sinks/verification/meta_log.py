"""Decides whether the sources tell one meta log: dense, signed, each root its own, every log only ever growing.

Each source is judged by itself and all against one another: what one lacks and another has is named one by one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from inzage.sinks.ledger.compact_range import CompactRange
from inzage.sinks.ledger.hashing import hash_leaf
from inzage.sinks.ledger.note import Note
from inzage.sinks.verification.evidence import META_INDEX_OF_META, PrunedLog, SealedLog, Told, meta_origin_of
from inzage.sinks.verification.finding import Finding, Severity, tamper
from inzage.sinks.verification.state import Seen
from inzage.sinks.verification.statement import Signatures, Statement, judge

ABSENT_FOR = timedelta(minutes=15)
"""How long one source may lack what another has before that is no delay any more."""


@dataclass(slots=True)
class LogEvidence:
    """What was sealed of one log, as far as the meta log bears it out. `roots`: root by size, in order of size."""

    origin: str
    base: int = 0
    roots: dict[int, bytes] = field(default_factory=dict)
    pruned: PrunedLog | None = None
    tiles: dict[int, set[bytes]] = field(default_factory=lambda: defaultdict(set))
    """Claimed roots of the subtrees of 256 leaves, by number: not signed, and checked before they are used."""
    upper: dict[tuple[int, int], set[bytes]] = field(default_factory=lambda: defaultdict(set))
    """The same of higher levels, by level and number."""
    sealed_at: datetime | None = None

    @property
    def size(self) -> int:
        return max(self.roots, default=0)


@dataclass(frozen=True, slots=True)
class MetaLog:
    """A meta log as judged: its newest checkpoint, the tree it has, and the logs it speaks of."""

    origin: str
    newest: SealedLog | None
    seen: Seen | None
    """What to keep for the next time; None when there is nothing to go by."""
    logs: Mapping[str, LogEvidence]
    findings: Sequence[Finding]
    statements: int
    texts: Mapping[int, str] = field(default_factory=dict)
    """What the note of each of its own checkpoints says, by size."""


def judge_meta_logs(
    told: Sequence[Told],
    signatures: Signatures,
    seen: Mapping[str, Seen],
    now: datetime,
    absent_for: timedelta = ABSENT_FOR,
) -> list[MetaLog]:
    """Judge every meta log that a source tells of or that was seen before; `now` in UTC."""
    origins = {meta_origin_of(one.origin) for source in told for one in source.statements}
    origins |= {origin for origin in seen if origin == meta_origin_of(origin)}
    return [_Judgement(origin, told, signatures, seen, now - absent_for).judge() for origin in sorted(origins)]


class _Judgement:
    def __init__(
        self, origin: str, told: Sequence[Told], signatures: Signatures, seen: Mapping[str, Seen], late: datetime
    ) -> None:
        self._origin = origin
        self._seen = seen.get(origin)
        self._late = late
        self._signatures = signatures
        self._findings: list[Finding] = []
        self._leaves: dict[str, dict[int, Statement]] = {}
        self._cuts: dict[str, dict[int, SealedLog]] = {}
        for source in told:
            self._take(source)

    def _take(self, told: Told) -> None:
        """Sort what a source tells by its place, and judge each by itself."""
        leaves: dict[int, Statement] = {}
        cuts: dict[int, SealedLog] = {}
        for said in _of(self._origin, told):
            if wrong := judge(said, told.source, self._signatures):
                self._findings.append(wrong)
                continue
            if isinstance(said, SealedLog) and said.meta_index == META_INDEX_OF_META:
                if before := cuts.get(said.size):
                    self._findings += self._twice(before, said, told.source)
                cuts.setdefault(said.size, said)
                continue
            if before_ := leaves.get(said.meta_index):
                self._findings += self._twice(before_, said, told.source)
            leaves.setdefault(said.meta_index, said)
        self._leaves[told.source], self._cuts[told.source] = leaves, cuts

    def _twice(self, before: Statement, said: Statement, source: str) -> Iterator[Finding]:
        place = said.size if said.meta_index == META_INDEX_OF_META else said.meta_index
        if before.note == said.note:
            what = f"{said.place}: it stands more than once"
            yield Finding(Severity.WARNING, "checkpoint.repeated", said.origin, what, place, place, source=source)
        elif isinstance(before, SealedLog) and isinstance(said, SealedLog) and before.root != said.root:
            yield from two_roots(before, said, source)
        else:
            what = f"two statements at one place of the meta log: {before.place}; {said.place}"
            yield tamper("checkpoint.differs", self._origin, what, place, source=source)

    def judge(self) -> MetaLog:
        leaves, cuts = self._together(), self._cuts_together()
        self._compare(leaves, cuts)
        tree = self._recompute(leaves, cuts)
        logs = self._logs(leaves)
        newest = cuts[max(cuts)] if cuts else None
        kept = Seen(tree.size, tree.root(), tuple(tree.hashes())) if newest and tree.size == newest.size else None
        texts = {size: Note.read(cut.note).text for size, cut in cuts.items()}
        return MetaLog(self._origin, newest, kept, logs, self._findings, len(leaves) + len(cuts), texts)

    def _together(self) -> dict[int, Statement]:
        """All leaves by place, whichever source has them."""
        leaves: dict[int, Statement] = {}
        for source, held in self._leaves.items():
            for index, said in held.items():
                other = leaves.setdefault(index, said)
                if other.note != said.note:
                    what = f"{said.place}: another source has {other.place} there, or another note of it"
                    self._findings.append(tamper("checkpoint.differs", self._origin, what, index, source=source))
                    if isinstance(other, SealedLog) and isinstance(said, SealedLog):
                        self._findings += two_roots(other, said, source)
        return dict(sorted(leaves.items()))

    def _cuts_together(self) -> dict[int, SealedLog]:
        cuts: dict[int, SealedLog] = {}
        for source, held in self._cuts.items():
            for size, said in held.items():
                other = cuts.setdefault(size, said)
                self._findings += two_roots(other, said, source)
        return dict(sorted(cuts.items()))

    def _compare(self, leaves: Mapping[int, Statement], cuts: Mapping[int, SealedLog]) -> None:
        """What a source lacks and another has, and what none has."""
        for source in self._leaves:
            held: Mapping[int, Statement] = self._leaves[source]
            if not held and not self._cuts[source]:
                self._findings.append(
                    Finding(
                        Severity.TAMPER if leaves else Severity.NOTE,
                        "checkpoint.missing",
                        self._origin,
                        "none of its checkpoints stands here",
                        source=source,
                    )
                )
                continue
            self._lacking(
                source, {index: said for index, said in leaves.items() if index not in held}, max(held, default=-1)
            )
            own = self._cuts[source]
            self._lacking(
                source, {size: said for size, said in cuts.items() if size not in own}, max(own, default=-1)
            )
        end = max(max(leaves, default=-1) + 1, max(cuts, default=0), self._seen.size if self._seen else 0)
        for index in range(end):
            if index not in leaves:
                what = f"place {index} of the meta log: no source has what was signed there"
                self._findings.append(tamper("checkpoint.missing", self._origin, what, index))

    def _lacking(self, source: str, lacking: Mapping[int, Statement], newest: int) -> None:
        delayed = {place: said for place, said in lacking.items() if place > newest and said.sealed_at > self._late}
        for place, said in lacking.items():
            if place not in delayed:
                what = f"{said.place}: its checkpoint is missing here and stands elsewhere"
                if not isinstance(said, SealedLog):
                    what = f"{said.place}: the statement is missing here and stands elsewhere"
                self._findings.append(tamper("checkpoint.missing", said.origin, what, place, source=source))
        if delayed:
            what = f"{len(delayed)} statements of the last minutes have not arrived here"
            low, high = min(delayed), max(delayed)
            self._findings.append(
                Finding(Severity.NOTE, "source.behind", self._origin, what, low, high, source=source)
            )

    def _recompute(self, leaves: Mapping[int, Statement], cuts: Mapping[int, SealedLog]) -> CompactRange:
        """Make the tree again and compare it at each checkpoint, and with what was seen before."""
        tree = CompactRange()
        pins = {size: cut.root for size, cut in cuts.items()}
        seen = self._seen
        ends = sorted({*pins, seen.size} if seen else pins)
        newest = max(pins, default=0)
        for end in ends:
            wanted = range(tree.size, end)
            if any(index not in leaves for index in wanted):
                break  # each was named: nothing after it can be made again
            tree.extend([hash_leaf(leaves[index].note.encode()) for index in wanted])
            if end in pins and tree.root() != pins[end]:
                what = f"the root of size {end} does not follow from the notes before it"
                self._findings.append(tamper("meta.root", self._origin, what, end))
            if seen and end == seen.size and tree.root() != seen.root:
                what = f"of size {end} another root was verified before"
                self._findings.append(tamper("state.contradicted", self._origin, what, end))
        if seen and newest < seen.size:
            what = f"it was verified at size {seen.size} before, and ends at {newest} now"
            self._findings.append(tamper("state.shorter", self._origin, what, newest, seen.size - 1))
        for index, said in leaves.items():
            if index >= newest and said.sealed_at <= self._late:
                what = f"{said.place}: no checkpoint of the meta log covers it"
                self._findings.append(tamper("checkpoint.uncovered", said.origin, what, index))
        return tree

    def _logs(self, leaves: Mapping[int, Statement]) -> dict[str, LogEvidence]:
        """The statements log by log, in the order in which they were signed."""
        logs: dict[str, LogEvidence] = {}
        last: dict[str, SealedLog] = {}
        for index, said in leaves.items():
            log = logs.setdefault(said.origin, LogEvidence(said.origin))
            if isinstance(said, PrunedLog):
                if log.pruned is None or said.minimum_index >= log.pruned.minimum_index:
                    log.pruned = said
                if log.roots.get(said.size) != said.root:
                    what = f"{said.place}: the statement names a root of size {said.size} that was not sealed"
                    self._findings.append(tamper("prune.frontier", said.origin, what, said.minimum_index))
                continue
            before = last.get(said.origin)
            if before and said.size < before.size:
                what = f"sealed at size {said.size} after it had been at {before.size}"
                self._findings.append(tamper("log.rollback", said.origin, what, said.size))
            if said.size in log.roots:
                if log.roots[said.size] != said.root:
                    self._findings.append(_two_roots(said.origin, said.size, f"place {index} of the meta log"))
                elif before and said.size == before.size:
                    what = f"{said.place}: sealed more than once"
                    self._findings.append(
                        Finding(Severity.NOTE, "checkpoint.repeated", said.origin, what, index, index)
                    )
            log.roots.setdefault(said.size, said.root)
            log.base, log.sealed_at = said.base, said.sealed_at
            last[said.origin] = said
        for held in self._leaves.values():
            for said in held.values():
                if isinstance(said, SealedLog):
                    _claims(logs[said.origin], said)
        for log in logs.values():
            log.roots = dict(sorted(log.roots.items()))
        return logs


def two_roots(one: SealedLog, other: SealedLog, source: str) -> Iterator[Finding]:
    """The finding that both are signed, of one log and size, and differ; nothing when they do not."""
    if one.origin == other.origin and one.size == other.size and one.root != other.root:
        yield _two_roots(one.origin, one.size, "two signed notes", source)


def _two_roots(origin: str, size: int, where: str, source: str = "") -> Finding:
    return tamper("log.two-roots", origin, f"two signed roots of size {size} ({where})", size, source=source)


def _claims(log: LogEvidence, said: SealedLog) -> None:
    for level, number, hashed in said.subtrees:
        if level == 8:
            log.tiles[number].add(hashed)
        else:
            log.upper[level, number].add(hashed)


def _of(origin: str, told: Told) -> Iterator[Statement]:
    for said in told.statements:
        if meta_origin_of(said.origin) == origin:
            yield said
