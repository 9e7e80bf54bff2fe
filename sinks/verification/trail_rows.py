"""Reads the rows of a trail in ClickHouse, column by column, as a verifier needs them; it never writes.

Its queries ask the tables themselves: what the views of the trail show is nobody's evidence.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import Any

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError
from urllib3.exceptions import HTTPError

from inzage.schemas.errors import ConfigError, TransientError
from inzage.sinks.verification.evidence import AttestedLog, PrunedLog, SealedLog, Told, claimed
from inzage.sinks.verification.kept import Extent, KeptTable, joined, tables_of
from inzage.sinks.verification.leaf import Leaves

SOURCE = "ClickHouse"

_BYTES = {"String": "bytes", "FixedString": "bytes"}
_NOT_THERE = frozenset({16, 47, 60, 81})  # src/Common/ErrorCodes.cpp: unknown column, identifier, table, database
_CHECKPOINTS_AT_ONCE = 20_000


class TrailRows:
    """The trail of one database. Not for two threads at once. All raise `TransientError` and `ConfigError`."""

    def __init__(self, client: Client, database: str) -> None:
        self._client = client
        self._database = database
        columns = self._query("tables").result_rows
        self.tables = {table.name: table for table in tables_of(columns)}
        if not self.tables:
            raise ConfigError(f"clickhouse.database: {database} holds no trail", code="config.trail")

    def close(self) -> None:
        self._client.close()

    def extents(self) -> list[Extent]:
        """What each table holds of each log, one for each table and log."""
        return [extent for table in self.tables.values() for extent in self._held(table)]

    def _held(self, table: KeptTable) -> list[Extent]:
        found = self._query("extents", {"table": table.name, **table.names}).result_rows
        return joined(Extent(table, *row) for row in found)

    def leaves(self, extents: Sequence[Extent], first: int, end: int) -> Leaves:
        """The rows of one log with offsets from `first` up to `end`, from all its tables, by offset."""
        parts: list[Leaves] = []
        for extent in extents:
            if extent.high < first or extent.low >= end:
                continue
            table = extent.table
            name = "leaves_or_none" if table.may_lack_values else "leaves"
            said = {"table": table.name, "log_id": extent.log_id, "first": first, "end": end, **table.names}
            columns = self._query(name, said, formats=_BYTES, by_column=True).result_columns
            if columns and len(columns[0]):
                lists: Any = (*(list(column) for column in columns), [table.name] * len(columns[0]))
                parts.append(Leaves(*lists))
        if len(parts) < 2:
            return parts[0] if parts else Leaves.none()
        return Leaves.joined(parts)

    def outside(self, extent: Extent, first: int, end: int) -> list[tuple[int, int]]:
        """Offset and time, in milliseconds since 1970, of the rows before `first` and from `end` on."""
        said = {"table": extent.table.name, "log_id": extent.log_id, "first": max(first, 0), "end": end}
        return [(at, time) for at, time in self._query("unsealed", {**said, **extent.table.names}).result_rows]

    def typed(self, extent: Extent, columns: Sequence[str], first: int, end: int) -> bytes:
        """`columns` of the rows from `first` up to `end` as RowBinary, by schema and offset."""
        said = {"table": extent.table.name, "log_id": extent.log_id, "first": first, "end": end}
        query = _with_columns("typed", columns)
        parameters = {"database": self._database, **said, **extent.table.names}
        try:
            found: bytes = self._client.raw_query(query, parameters=parameters, fmt="RowBinary", settings=_settings())
        except (ClickHouseError, HTTPError, OSError) as error:
            raise _judged(error) from error
        return found

    def typed_rows(self, extent: Extent, columns: Sequence[str], first: int, end: int) -> list[tuple[int, bytes]]:
        """The same row by row, each with its offset."""
        said = {"table": extent.table.name, "log_id": extent.log_id, "first": first, "end": end}
        found = self._query(
            "typed_rows",
            {**said, **extent.table.names},
            text=_with_columns("typed_rows", columns),
            formats=_BYTES,
        )
        return [(at, row) for at, row in found.result_rows]

    def typed_cells(
        self, extent: Extent, columns: Sequence[str], offsets: Sequence[int]
    ) -> list[tuple[int, Sequence[bytes]]]:
        """Each of `columns` by itself in the rows at `offsets`."""
        said = {"table": extent.table.name, "log_id": extent.log_id, "offsets": list(offsets)}
        cells = ", ".join(f"formatRow('RowBinary', `{name}`)" for name in columns)
        text = _query_text("typed_cells").replace("{cells}", cells)
        found = self._query("typed_cells", {**said, **extent.table.names}, text=text, formats=_BYTES)
        return [(at, row) for at, row in found.result_rows]

    def told(self) -> Told:
        """The checkpoints, statements and attestations that stand in the trail."""
        return Told(SOURCE, list(self._checkpoints()), self._prunings(), self._attestations())

    def schema_statements(self) -> list[tuple[str, int, bytes]]:
        """The records of the schemas topic as they were said: log, leaf index, value."""
        rows = self._query("schemas", formats=_BYTES).result_rows
        return [(_text(log), index, value) for log, index, value in rows]

    def schema_texts(self) -> list[bytes]:
        """The values of the records of the schemas topic, as they were said."""
        return [value for _, _, value in self.schema_statements()]

    def sequence_gaps(self) -> list[tuple[str, str, int, int]]:
        """(topic, source instance, first, last) of the numbers that stand in no row."""
        return [(name, instance, low, high) for name, instance, low, high in self._query("sequence_gaps").result_rows]

    def repeated_events(self, topics: Sequence[str]) -> dict[str, int]:
        """How many events stand in two logs of topics of one name."""
        return dict(self._query("repeated_events", {"topics": list(topics)}).result_rows)

    def _checkpoints(self) -> Iterator[SealedLog]:
        held = self._held(self.tables["checkpoints"]) if "checkpoints" in self.tables else []
        low, high = min((one.low for one in held), default=0), max((one.high for one in held), default=-1)
        for first in range(low, high + 1, _CHECKPOINTS_AT_ONCE):
            rows = self._query("checkpoints", {"first": first, "end": first + _CHECKPOINTS_AT_ONCE}, formats=_BYTES)
            for origin, size, root, note, base, index, subtrees, at in rows.result_rows:
                yield SealedLog(_text(origin), size, root, _text(note), base, index, _subtrees(subtrees), _utc(at))

    def _prunings(self) -> list[PrunedLog]:
        found = []
        for row in self._query("prunings", formats=_BYTES).result_rows:
            origin, index, offset, size, root, frontier, reason, approver, note, meta_index, at = row
            texts = _text(reason), _text(approver), _text(note)
            found.append(
                PrunedLog(_text(origin), index, offset, size, root, tuple(frontier), *texts, meta_index, _utc(at))
            )
        return found

    def _attestations(self) -> list[AttestedLog]:
        rows = self._query("attestations", formats=_BYTES).result_rows
        return [
            AttestedLog(_text(one), size, _text(kind), _text(note), token) for one, size, kind, note, token in rows
        ]

    def _query(
        self,
        query: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        text: str = "",
        formats: dict[str, str] | None = None,
        by_column: bool = False,
    ) -> Any:
        named = {"database": self._database, **(parameters or {})}
        try:
            return self._client.query(
                text or _query_text(query),
                parameters=named,
                query_formats=formats,
                settings=_settings(),
                column_oriented=by_column,
            )
        except (ClickHouseError, HTTPError, OSError) as error:
            raise _judged(error) from error


def _settings() -> dict[str, Any]:
    return {"readonly": 1}


def _subtrees(said: Sequence[Any]) -> tuple[tuple[int, int, bytes], ...]:
    return claimed(tuple(one.values()) if isinstance(one, dict) else one for one in said)


def _utc(at: datetime) -> datetime:
    """The driver leaves the zone away where it is UTC."""
    return at.replace(tzinfo=UTC)


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace")


@cache
def _query_text(query: str) -> str:
    return files("inzage.sinks.verification").joinpath("queries", f"{query}.sql").read_text(encoding="utf-8")


def _with_columns(query: str, columns: Sequence[str]) -> str:
    """The query for `columns`, names of our own schemas."""
    return _query_text(query).replace("{columns}", ", ".join(f"`{name}`" for name in columns))


def _judged(error: Exception) -> Exception:
    code = getattr(error, "code", None)
    if code in _NOT_THERE:
        return ConfigError(f"ClickHouse has no such table or column (its code {code})", code="config.trail")
    return TransientError(f"ClickHouse does not answer (its code {code})", code="transient.clickhouse")
