"""Decides which tables keep records, from the columns they have, and how a column of each is called.

A table whose records have columns `topic`, `offset` ... of their own calls its coordinates `log_topic`, `log_offset`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

COORDINATES = frozenset({"topic", "partition", "offset", "key", "headers"})
_OF_THE_ROW = frozenset(
    {"log_id", "leaf_index", "broker_time", "timestamp_type", "raw", "leaf_hash", "block", "block_end"}
)


@dataclass(frozen=True, slots=True)
class KeptTable:
    """A table with a leaf in each row; `types` are the ClickHouse types of its columns, in order."""

    name: str
    types: dict[str, str]

    @property
    def prefixed(self) -> bool:
        return "log_offset" in self.types

    @property
    def may_lack_values(self) -> bool:
        """Whether `raw` of a record without a value is told apart by `has_value`."""
        return "has_value" in self.types

    def column(self, coordinate: str) -> str:
        """The name here of one of `COORDINATES`."""
        return f"log_{coordinate}" if self.prefixed and coordinate in COORDINATES else coordinate

    @property
    def names(self) -> dict[str, str]:
        """The coordinates as parameters of the queries."""
        return {name: self.column(name) for name in COORDINATES}

    @property
    def typed(self) -> tuple[str, ...]:
        """The columns that say what a record says: all but the coordinates that its leaf is made of."""
        hashed = {self.column(name) for name in ("offset", "key", "headers")} | _OF_THE_ROW
        return tuple(name for name in self.types if name not in hashed)


@dataclass(frozen=True, slots=True)
class Extent:
    """What a table holds of a log: offsets `low` to `high`; `base` as the rows claim it; `bytes` of raw values."""

    table: KeptTable
    log_id: str
    topic: str
    partition: int
    rows: int
    low: int
    high: int
    base: int
    bytes: int


def tables_of(columns: Iterable[tuple[str, str, str]]) -> list[KeptTable]:
    """Tables from (table, column, type), those with all columns that a leaf needs."""
    found: dict[str, dict[str, str]] = {}
    for table, column, kind in columns:
        found.setdefault(table, {})[column] = " ".join(kind.split())
    return [KeptTable(name, types) for name, types in found.items() if {"log_id", "raw", "leaf_index"} <= set(types)]


def joined(extents: Iterable[Extent]) -> list[Extent]:
    """Extents of one table, one for each log: topic and partition, if rows disagree, as most have them."""
    by_log: dict[str, Extent] = {}
    for extent in extents:
        before = by_log.get(extent.log_id)
        if before is None:
            by_log[extent.log_id] = extent
            continue
        most = max(before, extent, key=lambda one: one.rows)
        by_log[extent.log_id] = replace(
            most,
            rows=before.rows + extent.rows,
            low=min(before.low, extent.low),
            high=max(before.high, extent.high),
            base=min(before.base, extent.base),
            bytes=before.bytes + extent.bytes,
        )
    return list(by_log.values())
