"""Decides whether the typed columns of rows say what their raw bytes say, and whether rows stand where they belong.

A block is compared as bytes, all at once; only where it differs is it taken apart, row by row and column by column.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from inzage.schemas.codec import Schema, known
from inzage.schemas.errors import ContractError
from inzage.schemas.framing import header_of, names_schema, schema_name
from inzage.schemas.resolution import Reading
from inzage.sinks.verification.decoder import Decoder
from inzage.sinks.verification.expected import (
    OTHER_RECORDS,
    Expected,
    expected,
    home,
    readable,
)
from inzage.sinks.verification.finding import Finding, Severity, tamper
from inzage.sinks.verification.kept import Extent, KeptTable
from inzage.sinks.verification.leaf import Leaves
from inzage.sinks.verification.row_binary import Column, text_column, unsigned_column
from inzage.sinks.verification.trail_rows import TrailRows

_BULK = 64
"""From so many rows on the engine is faster than row by row."""


def type_findings(table: KeptTable, log: str) -> list[Finding]:
    """What is wrong with the columns a table has: one that is gone or of another type than its schema says."""
    wanted = expected(table.name)
    if wanted is None:
        what = f"the table {table.name} is not known here: its leaves are verified, its columns are not"
        return [Finding(Severity.UNVERIFIED, "table.unknown", log, what, table=table.name)]
    found = []
    for name, column in wanted.columns.items():
        has = table.types.get(name)
        if has != column.type:
            what = "the column is gone" if has is None else f"the column is a {has} and not a {column.type}"
            found.append(tamper("column.type", log, what, table=table.name, column=name))
    return found


@dataclass(frozen=True, slots=True)
class ColumnCheck:
    """Compares rows with their raw bytes. `also`: schemas from the trail; `decoder` None: row by row."""

    rows: TrailRows
    also: Mapping[bytes, Schema]
    decoder: Decoder | None

    def examine(self, extent: Extent, base: int, leaves: Leaves, first: int, end: int) -> Iterator[Finding]:
        """What is wrong in the rows of one table of a log with offsets from `first` up to `end`.

        `leaves` are those rows, by offset, as they were hashed.
        """
        wanted = expected(extent.table.name)
        if wanted is None or not leaves.offsets:
            return
        yield from self._misplaced(extent, base, leaves)
        compared = _compared(extent, wanted)
        if self._alike(extent, wanted, compared, leaves, first, end):
            return
        yield from self._apart(extent, wanted, compared, base, leaves, first, end)

    def _misplaced(self, extent: Extent, base: int, leaves: Leaves) -> Iterator[Finding]:
        """Rows that stand in another table than they belong in."""
        table, log = extent.table.name, extent.log_id
        headers = [header_of(value) for value in leaves.values]
        homes = {header: home(extent.topic, header, self.also) for header in set(headers)}
        if table != OTHER_RECORDS and set(homes.values()) <= {table, None}:
            return
        for offset, value, header in zip(leaves.offsets, leaves.values, headers, strict=True):
            belongs = homes[header]
            index = offset - base
            if belongs is None or belongs == table:
                if table == OTHER_RECORDS and belongs == OTHER_RECORDS and _names_unknown(value, self.also):
                    what = "its schema is not known, so it cannot be said whether it could be read"
                    yield Finding(Severity.WARNING, "schema.unknown", log, what, index, index, table)
                continue
            if table != OTHER_RECORDS:
                what = f"the record belongs in {belongs}"
                yield tamper("row.moved", log, what, index, table=table)
            elif readable(extent.topic, value, self.also):
                yield self._set_aside(extent, offset, index, belongs)

    def _set_aside(self, extent: Extent, offset: int, index: int, belongs: str) -> Finding:
        """A record that can be read is only set aside where the sink said so when it came upon it."""
        what = f"the record can be read and belongs in {belongs}"
        reasons = [cells[0] for _, cells in self.rows.typed_cells(extent, ["reason"], [offset])]
        refused = all(reason.endswith(b"trail.refused") for reason in reasons)
        severity = Severity.WARNING if refused else Severity.TAMPER
        return Finding(severity, "row.moved", extent.log_id, what, index, index, extent.table.name)

    def _alike(
        self, extent: Extent, wanted: Expected, compared: Mapping[str, Column], leaves: Leaves, first: int, end: int
    ) -> bool:
        """Whether all rows are as expected, found out in one comparison."""
        if wanted.spliced is None or self.decoder is None or len(leaves.offsets) < _BULK:
            return False
        own = {name: column for name, column in compared.items() if name in wanted.columns}
        decoded, fingerprints = [], []
        for header, values in _by_header(leaves.values):
            schema = known().get(header) or self.also.get(header)
            fingerprints.append((schema_name(header), len(values)))
            if schema is None or schema.name != wanted.spliced or schema.reading is Reading.RESOLVED:
                return False
            found = self.decoder.decode(schema, [value or b"" for value in values], own)
            if found is None:
                return False
            decoded.append(found)
        if self.rows.typed(extent, list(own), first, end) != b"".join(decoded):
            return False
        constant = [name for name in compared if name not in own]
        said = self.rows.typed(extent, constant, first, end)
        topic, partition = compared[constant[0]].encode(extent.topic), compared[constant[1]].encode(extent.partition)
        encode = compared[constant[2]].encode
        return said == b"".join([(topic + partition + encode(one)) * count for one, count in fingerprints])

    def _apart(
        self,
        extent: Extent,
        wanted: Expected,
        compared: Mapping[str, Column],
        base: int,
        leaves: Leaves,
        first: int,
        end: int,
    ) -> Iterator[Finding]:
        """Compare row by row, and where one differs column by column."""
        said: dict[int, list[bytes]] = {}
        for offset, row in self.rows.typed_rows(extent, list(compared), first, end):
            said.setdefault(offset, []).append(row)
        differing: dict[int, Mapping[str, Any]] = {}
        for offset, value in zip(leaves.offsets, leaves.values, strict=True):
            values = self._values(extent, wanted, value)
            if values is None:
                if home(extent.topic, value, self.also) == extent.table.name:
                    what = "its bytes cannot be read, and yet it stands here with columns"
                    yield tamper("row.moved", extent.log_id, what, offset - base, table=extent.table.name)
                continue
            if extent.table.name == OTHER_RECORDS and readable(extent.topic, value, self.also):
                continue  # it does not belong here, and that was said
            row = b"".join([column.encode(values[name]) for name, column in compared.items()])
            if any(one != row for one in said.get(offset, ())):
                differing[offset] = values
        if differing:
            yield from self._cells(extent, wanted, compared, base, differing)

    def _cells(
        self,
        extent: Extent,
        wanted: Expected,
        compared: Mapping[str, Column],
        base: int,
        differing: Mapping[int, Mapping[str, Any]],
    ) -> Iterator[Finding]:
        """Which columns differ in rows that do; `differing` has what they must say, by offset."""
        log, table = extent.log_id, extent.table.name
        for offset, cells in self.rows.typed_cells(extent, list(compared), list(differing)):
            for (name, column), found in zip(compared.items(), cells, strict=True):
                right = column.encode(differing[offset][name])
                if found == right or (name in wanted.json_columns and _same_json(found, right)):
                    continue
                what = "the column does not say what the raw bytes say"
                yield tamper("column.changed", log, what, offset - base, table=table, column=name)

    def _values(self, extent: Extent, wanted: Expected, value: bytes | None) -> dict[str, Any] | None:
        """The values that the columns of a record must have, None when it cannot be read."""
        try:
            row = wanted.row(value, self.also)
        except ContractError:
            return None
        prefix = extent.table.column
        return {
            **row,
            prefix("topic"): extent.topic,
            prefix("partition"): extent.partition,
            "schema_fingerprint": schema_name(value),
        }


def _compared(extent: Extent, wanted: Expected) -> dict[str, Column]:
    """The columns that are compared, in order: topic, partition and fingerprint, then those of the record."""
    prefix = extent.table.column
    own = {name: column for name, column in wanted.columns.items() if extent.table.types.get(name) == column.type}
    return {
        prefix("topic"): text_column(),
        prefix("partition"): unsigned_column(),
        "schema_fingerprint": text_column(),
        **own,
    }


def _by_header(values: Sequence[bytes | None]) -> list[tuple[bytes, list[bytes | None]]]:
    """The values by the schema they name, each in its order; schemas in the order of their column."""
    groups: dict[bytes, list[bytes | None]] = {}
    for value in values:
        groups.setdefault(header_of(value), []).append(value)
    return sorted(groups.items(), key=lambda group: schema_name(group[0]))


def _names_unknown(value: bytes | None, also: Mapping[bytes, Schema]) -> bool:
    header = header_of(value)
    return names_schema(header) and not (known().get(header) or also.get(header))


def _same_json(one: bytes, other: bytes) -> bool:
    """Whether two RowBinary strings hold JSON that means the same."""
    try:
        return bool(json.loads(_unframed(one)) == json.loads(_unframed(other)))
    except ValueError:
        return False


def _unframed(text: bytes) -> bytes:
    place = next(at for at, byte in enumerate(text) if byte < 0x80)
    return text[place + 1 :]
