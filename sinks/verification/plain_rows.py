"""Decides whether the rows of a log that is not sealed, that of the checkpoints themselves, fit their own bytes.

Its records are signed one by one; here the columns one queries are compared with the bytes that were said.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from inzage.sinks.verification.columns import ColumnCheck, type_findings
from inzage.sinks.verification.finding import Finding, tamper
from inzage.sinks.verification.kept import Extent
from inzage.sinks.verification.leaf import leaf_hashes
from inzage.sinks.verification.trail_rows import TrailRows

_OFFSETS = 16_384


def examine_unsealed(rows: TrailRows, extents: Sequence[Extent], columns: ColumnCheck | None) -> Iterator[Finding]:
    """What is wrong with the rows of a log without checkpoints; indexes are offsets."""
    for extent in extents:
        log, table = extent.log_id, extent.table.name
        if columns:
            yield from type_findings(extent.table, log)
        for first in range(extent.low, extent.high + 1, _OFFSETS):
            leaves = rows.leaves([extent], first, first + _OFFSETS)
            for offset, made, claimed in zip(leaves.offsets, leaf_hashes(leaves), leaves.hashes, strict=True):
                if made != claimed:
                    what = "what the row holds does not hash to its leaf hash"
                    yield tamper("row.changed", log, what, offset, table=table)
            if columns:
                yield from columns.examine(extent, 0, leaves, first, first + _OFFSETS)
