"""Decides whether the rows of one log are those that were sealed: streams them in order, makes every leaf again,
compares the root at every checkpoint, and the typed columns of every row with its raw bytes.

It goes on after what it finds: a log with one changed row is still verified to its end.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from inzage.sinks.ledger.compact_range import CompactRange
from inzage.sinks.verification.columns import ColumnCheck, type_findings
from inzage.sinks.verification.finding import Finding, Severity, runs, tamper
from inzage.sinks.verification.kept import Extent
from inzage.sinks.verification.leaf import Leaves, leaf_hashes
from inzage.sinks.verification.meta_log import LogEvidence
from inzage.sinks.verification.narrow import Row, narrow
from inzage.sinks.verification.state import Reached, Seen
from inzage.sinks.verification.trail_rows import TrailRows

BLOCK_ROWS = 16_384
BLOCK_BYTES = 48 << 20
NARROW_ROWS = 1 << 20
"""Rows between two checkpoints that are read again when the second does not fit."""

Original = Callable[[str, int, int], Sequence[bytes] | None]
"""Kafka's leaf hashes of a log from one offset up to another, None where it no longer has them all."""


@dataclass(frozen=True, slots=True)
class Step:
    """How far an examination came: `rows` more were read."""

    log: str
    rows: int
    reached: Reached | None = None


@dataclass(slots=True)
class LogReport:
    """What became of one log. `seen` is what to compare with the next time."""

    origin: str
    seen: Seen | None
    leaves: int = 0
    decoded: int = 0
    findings: list[Finding] = field(default_factory=list)


class Examination:
    """One log. `run` yields its progress; `report` is whole when it ended."""

    def __init__(
        self,
        rows: TrailRows,
        extents: Sequence[Extent],
        evidence: LogEvidence,
        columns: ColumnCheck | None,
        *,
        seen: Seen | None = None,
        reached: Reached | None = None,
        original: Original = lambda log, first, end: None,
        late: datetime | None = None,
    ) -> None:
        self._rows, self._extents, self._evidence, self._columns = rows, extents, evidence, columns
        self._original = original
        self._late = late or datetime.now(UTC) - timedelta(minutes=15)
        self._base = evidence.base
        self._seen = seen
        self._cuts = dict(evidence.roots)
        self._start = CompactRange()
        self.report = LogReport(evidence.origin, seen)
        self._begin(reached)
        self._tree, self._good, self._broken = self._start.copy(), self._start.copy(), False
        self._unresolved: list[int] = []

    @property
    def _log(self) -> str:
        return self._evidence.origin

    def _begin(self, reached: Reached | None) -> None:
        """Where to start: at nothing, at a statement of retention, or where an interrupted run came to."""
        pruned, seen = self._evidence.pruned, self._seen
        if pruned:
            self._base = pruned.minimum_offset - pruned.minimum_index
            try:
                self._start = CompactRange.of(pruned.minimum_index, pruned.frontier)
            except ValueError:
                what = "the frontier of the statement of retention is not one of that size"
                self._say(tamper("prune.frontier", self._log, what, pruned.minimum_index))
                self._start = CompactRange(pruned.minimum_index)
        if seen:
            known = self._cuts.setdefault(seen.size, seen.root)
            if known != seen.root:
                what = f"of size {seen.size} another root was verified before"
                self._say(tamper("state.contradicted", self._log, what, seen.size))
            if self._evidence.size < seen.size:
                what = f"it was verified at size {seen.size} before, and is sealed at {self._evidence.size} now"
                self._say(tamper("state.shorter", self._log, what, self._evidence.size, seen.size - 1))
        self._cuts = {size: root for size, root in sorted(self._cuts.items()) if size >= self._start.size}
        if reached and reached.tree.size in self._cuts and reached.tree.size > self._start.size:
            tree = CompactRange.of(reached.tree.size, reached.tree.hashes)
            if tree.root() == self._cuts[reached.tree.size]:
                self._start = tree
                self.report.decoded = reached.decoded
                self.report.findings = list(reached.findings)

    @property
    def size(self) -> int:
        """How many leaves are to be verified, from the beginning of the log."""
        return max(self._cuts, default=self._start.size)

    @property
    def begun(self) -> int:
        """The index at which the examination starts."""
        return self._start.size

    def run(self) -> Iterator[Step]:
        """Examine the log, a block a step."""
        for table in {extent.table.name: extent.table for extent in self._extents}.values():
            if self._columns:
                self._say(*type_findings(table, self._log))
        self._say(*self._rows_below())
        if self._start.size in self._cuts:
            self._compare(self._start.size)
        step, index = self._block_rows(), self._start.size
        while index < self.size:
            end = min(index + step, self.size)
            self._block(index, end)
            yield Step(self._log, end - index, self._reached())
            index = end
        self._say(*self._end(), *self._rows_above())
        self.report.findings = runs(dict.fromkeys(self.report.findings))
        self._say(*self._unstated())
        if self._good.size == self.size and self._cuts:
            self.report.seen = Seen(self._good.size, self._good.root(), tuple(self._good.hashes()))

    def _block_rows(self) -> int:
        rows, size = sum(one.rows for one in self._extents), sum(one.bytes for one in self._extents)
        return max(256, min(BLOCK_ROWS, BLOCK_BYTES * rows // size)) if size else BLOCK_ROWS

    def _block(self, first: int, end: int) -> None:
        """Verify the leaves from index `first` up to `end`, and their columns."""
        base = self._base
        leaves = self._rows.leaves(self._extents, base + first, base + end)
        made = leaf_hashes(leaves)
        self.report.leaves += len(made)
        if made != leaves.hashes:
            self._say(*self._changed(leaves, made))
        whole = len(made) == end - first and leaves.offsets == list(range(base + first, base + end))
        if (whole and leaves.indexes != list(range(first, end))) or not whole:
            self._say(*self._misnumbered(leaves))
        aligned: Sequence[bytes | None] = made
        if not whole:
            aligned = self._aligned(leaves, made, first, end)
        if self._columns:
            self._say(*self._examine_columns(leaves, base + first, base + end))
        self._grow(aligned, first, end, whole)

    def _changed(self, leaves: Leaves, made: Sequence[bytes]) -> Iterator[Finding]:
        for offset, one, claimed, table in zip(leaves.offsets, made, leaves.hashes, leaves.tables, strict=True):
            if one != claimed:
                what = "what the row holds does not hash to its leaf hash"
                yield tamper("row.changed", self._log, what, offset - self._base, table=table)

    def _misnumbered(self, leaves: Leaves) -> Iterator[Finding]:
        for offset, index, table in zip(leaves.offsets, leaves.indexes, leaves.tables, strict=True):
            if index != offset - self._base:
                what = "its leaf index is not its offset less the offset at which the log began"
                yield tamper("row.index", self._log, what, offset - self._base, table=table)

    def _aligned(self, leaves: Leaves, made: Sequence[bytes], first: int, end: int) -> list[bytes | None]:
        """One hash for each index, None for a row that is missing; says what is missing or doubled."""
        at: dict[int, list[int]] = {}
        for place, offset in enumerate(leaves.offsets):
            at.setdefault(offset - self._base, []).append(place)
        aligned: list[bytes | None] = []
        for index in range(first, end):
            places = at.get(index, [])
            if not places:
                self._say(tamper("row.missing", self._log, "the row is not there", index))
                aligned.append(None)
                continue
            if len(places) > 1:
                self._say(self._double(index, places, leaves, made))
            fitting = [place for place in places if made[place] == leaves.hashes[place]]
            aligned.append(made[(fitting or places)[0]])
        return aligned

    def _double(self, index: int, places: Sequence[int], leaves: Leaves, made: Sequence[bytes]) -> Finding:
        tables = ", ".join(sorted({leaves.tables[place] for place in places}))
        if len({made[place] for place in places}) == 1:
            what = "the row stands more than once, each time the same"
            return Finding(Severity.WARNING, "row.duplicate", self._log, what, index, index, tables)
        return tamper("row.duplicate", self._log, "different rows stand at one offset", index, table=tables)

    def _examine_columns(self, leaves: Leaves, first: int, end: int) -> Iterator[Finding]:
        assert self._columns
        for extent in self._extents:
            part = leaves
            if set(leaves.tables) - {extent.table.name}:
                chosen = [place for place, table in enumerate(leaves.tables) if table == extent.table.name]
                part = leaves.chosen(chosen)
            elif extent.table.name not in leaves.tables:
                continue
            yield from self._columns.examine(extent, self._base, part, first, end)
            self.report.decoded += len(part.offsets)

    def _grow(self, aligned: Sequence[bytes | None], first: int, end: int, whole: bool) -> None:
        """Add the leaves to the tree, and compare its root at each checkpoint among them."""
        sizes = list(self._cuts)
        begin = first
        for cut in [*sizes[bisect_right(sizes, first) : bisect_right(sizes, end)], end]:
            part = aligned[begin - first : cut - first]
            if not self._broken and (whole or None not in part):
                self._tree.extend(part)  # type: ignore[arg-type] # none of them is None
            elif part:
                self._broken = True
            begin = cut
            if cut in self._cuts:
                self._compare(cut)

    def _compare(self, size: int) -> None:
        root = self._cuts[size]
        if not self._broken and self._tree.root() == root:
            self._good = self._tree.copy()
            return
        self._broken = True
        self._unresolved.append(size)
        if size - self._good.size <= NARROW_ROWS and self._worth_narrowing(size):
            self._narrow(size, root)

    def _worth_narrowing(self, size: int) -> bool:
        """Whether there is more to go by than at the checkpoint before: each try reads the rows again."""
        before = self._unresolved[-2] if len(self._unresolved) > 1 else 0
        return len(self._unresolved) < 2 or size // 256 > before // 256 or size == self.size

    def _narrow(self, size: int, root: bytes) -> None:
        base, good = self._base, self._good
        rows = self._reread(good.size, size)
        found = narrow(
            self._log,
            good,
            root,
            rows,
            self._evidence.tiles,
            lambda first, end: self._original(self._log, base + first, base + end),
        )
        self._say(*found.findings)
        if found.tree:
            self._tree, self._good, self._broken = found.tree, found.tree.copy(), False
            self._unresolved.clear()

    def _reread(self, first: int, end: int) -> list[Row]:
        found: dict[int, Row] = {}
        for begin in range(first, end, BLOCK_ROWS):
            leaves = self._rows.leaves(self._extents, self._base + begin, self._base + min(begin + BLOCK_ROWS, end))
            for offset, made, claimed in zip(leaves.offsets, leaf_hashes(leaves), leaves.hashes, strict=True):
                row, before = Row(made, claimed), found.get(offset - self._base)
                if before is None or (before.made != before.claimed and made == claimed):
                    found[offset - self._base] = row
        return [found.get(index, Row(None, None)) for index in range(first, end)]

    def _end(self) -> Iterator[Finding]:
        """What could not be narrowed down."""
        if self._unresolved:
            low, sizes = self._good.size, self._unresolved
            through = f"sizes {sizes[0]} to {sizes[-1]}" if len(sizes) > 1 else f"size {sizes[0]}"
            what = f"the signed root of {through} does not follow from the rows"
            yield tamper("log.root", self._log, what, low, sizes[0] - 1)

    def _unstated(self) -> Iterator[Finding]:
        """Rows that are gone from the beginning on are gone by retention only if a statement says so."""
        for one in self.report.findings:
            if one.code == "row.missing" and one.first == 0 and not self._evidence.pruned:
                what = "rows are gone from the beginning of the log, and no statement of retention says so"
                yield tamper("prune.unstated", self._log, what, 0, one.last)
                return

    def _rows_below(self) -> Iterator[Finding]:
        """Rows before the log, or before what a statement of retention leaves."""
        pruned = self._evidence.pruned
        lowest = self._base if not pruned else pruned.minimum_offset
        for extent in self._extents:
            if extent.low >= lowest:
                continue
            before = [at - self._base for at, _ in self._rows.outside(extent, lowest, extent.high + 1)]
            if pruned and before[-1] >= 0:
                what = "rows stand that a statement of retention says were dropped"
                yield Finding(Severity.NOTE, "prune.kept", self._log, what, before[0], before[-1], extent.table.name)
            for index in before if not pruned else ():
                what = "the row stands before the log began"
                yield tamper("row.before-base", self._log, what, index, table=extent.table.name)

    def _rows_above(self) -> Iterator[Finding]:
        """Rows that no checkpoint covers yet; one older than the last that is sealed was put there later."""
        end = self._base + self.size
        above = [
            (at, time, extent.table.name)
            for extent in self._extents
            if extent.high >= end
            for at, time in self._rows.outside(extent, 0, end)
        ]
        if not above:
            return
        sealed = self._rows.leaves(self._extents, end - 1, end)
        newest = max(sealed.timestamps, default=None)
        for at, time, table in above:
            if newest is not None and time < newest:
                what = "it is not sealed, and yet older than what was sealed last"
                yield tamper("row.backdated", self._log, what, at - self._base, table=table)
        yield self._unsealed(above)

    def _unsealed(self, above: Sequence[tuple[int, int, str]]) -> Finding:
        offsets = sorted(at for at, _, _ in above)
        first, last = offsets[0] - self._base, offsets[-1] - self._base
        tables = ", ".join(sorted({table for _, _, table in above}))
        if offsets != list(range(self._base + self.size, self._base + self.size + len(offsets))):
            what = f"{len(offsets)} rows are not sealed, and some between them are missing"
            return Finding(Severity.WARNING, "row.unsealed", self._log, what, first, last, tables)
        late = min(time for _, time, _ in above) < self._late.timestamp() * 1000
        what = f"{len(offsets)} rows are not sealed" + (", and should have been by now" if late else " yet")
        severity = Severity.WARNING if late else Severity.NOTE
        return Finding(severity, "row.unsealed", self._log, what, first, last, tables)

    def _reached(self) -> Reached | None:
        good = self._good
        if self._broken or not good.size:
            return None
        tree = Seen(good.size, good.root(), tuple(good.hashes()))
        before = (one for one in self.report.findings if one.first is not None and 0 <= one.first < good.size)
        return Reached(tree, self.report.decoded, tuple(before))

    def _say(self, *findings: Finding) -> None:
        self.report.findings += findings


def unsealed_log(extents: Sequence[Extent]) -> Finding:
    """The finding of a log that no checkpoint speaks of."""
    low, high = min(one.low - one.base for one in extents), max(one.high - one.base for one in extents)
    rows, log = sum(one.rows for one in extents), extents[0].log_id
    tables = ", ".join(sorted({one.table.name for one in extents}))
    return Finding(Severity.WARNING, "log.unsealed", log, f"{rows} rows and no checkpoint", low, high, tables)
