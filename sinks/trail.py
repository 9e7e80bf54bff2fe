"""Keeps the trail in ClickHouse: inserts blocks, and says which offsets it holds.

An insert is whole or nothing, on disk when it is acknowledged, and dropped when its token was seen. What ClickHouse
answers decides what the caller does next: `BlockRefusedError` (some row cannot be decoded), `TransientError` (the
same again), `ConfigError`. ClickHouse's own words may quote data and are never repeated.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError, OperationalError
from urllib3.exceptions import HTTPError

from inzage.schemas.errors import ConfigError, ContractError, TamperError, TransientError
from inzage.sinks.block import Block

# ClickHouse's error codes, src/Common/ErrorCodes.cpp
_REFUSES_DATA = frozenset({6, 27, 32, 33, 36, 49, 53, 117, 128, 131, 261, 321, 349, 469, 1001, 1002})
_OUT_OF_MEMORY = frozenset({173, 241})
_REFUSES_US = frozenset({8, 16, 60, 62, 81, 115, 192, 193, 194, 291, 497, 516})


class BlockRefusedError(ContractError):
    """ClickHouse cannot decode some row of the block; nothing was inserted.

    Not `certain`: it ran out of memory, which a false length leads to but a full machine as well, or it
    acknowledged what does not stand.
    """

    code = "trail.refused"

    def __init__(self, message: str, *, certain: bool = True) -> None:
        super().__init__(message)
        self.certain = certain


@dataclass(frozen=True, slots=True)
class Held:
    """Which offsets of a log the trail holds, as runs `(first, last)` in order; both ends are held."""

    runs: tuple[tuple[int, int], ...] = ()

    def __contains__(self, offset: int) -> bool:
        place = bisect_right(self.runs, (offset, 1 << 63)) - 1
        return place >= 0 and self.runs[place][0] <= offset <= self.runs[place][1]

    def first_missing(self, start: int) -> int:
        """The lowest offset at or above `start` that is not held."""
        return next((last + 1 for first, last in self.runs if first <= start <= last), start)

    @property
    def last(self) -> int:
        """The highest offset held, -1 for none."""
        return self.runs[-1][1] if self.runs else -1


@dataclass(frozen=True, slots=True)
class Trail:
    """The trail of one database. ClickHouse enforces `insert_within`, in seconds. Not for two threads at once."""

    client: Client
    database: str
    insert_within: float = 10.0

    def insert(self, block: Block) -> None:
        """Insert `block`; on return its rows are on disk, once, and were seen there."""
        settings = {
            "async_insert": 0,
            "insert_deduplicate": 1,
            "insert_deduplication_token": block.token,
            "input_format_avro_allow_missing_fields": 1,  # an older writer lacks columns
            "max_execution_time": self.insert_within,
        }
        table = f"`{self.database}`.`{block.table.name}`"
        try:
            self.client.raw_insert(table, insert_block=block.body, settings=settings, fmt="Avro")
        except (ClickHouseError, HTTPError, OSError) as error:
            raise judged(error) from error
        self._see(block)

    def _see(self, block: Block) -> None:
        """Count the block's rows: an acknowledgement says how many were sent, not how many stand.

        A repeated token is acknowledged with its rows and writes none; an engine that is streamed to even
        acknowledges a block that broke a constraint.
        """
        table, first, last = block.table, block.leaves[0].offset, block.leaves[-1].offset
        offset = "log_offset" if table.prefixed else "offset"
        where = {"log_id": block.log.id, "first": first, "last": last, "mark": block.mark.hex()}
        (rows, repeated), *_ = self.select("arrived", table=table.name, offset=offset, **where)
        if rows < len(block.leaves):
            text = f"{table.name}: {rows} rows of {len(block.leaves)} stand after the insert"
            raise BlockRefusedError(text, certain=False)
        if repeated:
            raise TamperError(f"{block.log.id}: {repeated} rows stand twice", code="trail.duplicate")

    def held(self, log_id: str, start: int) -> Held:
        """The offsets at or above `start` that the trail holds of a log."""
        return Held(tuple((first, last) for first, last in self.select("held", log_id=log_id, start=start)))

    def base(self, log_id: str) -> int | None:
        """The offset at which the log began, None when the trail knows nothing of it."""
        return self.beginning(log_id)[0]

    def beginning(self, log_id: str) -> tuple[int | None, int]:
        """The offset at which the log began, None when unknown, and that below which it was stated to be dropped."""
        (known, base, dropped_below), *_ = self.select("base", log_id=log_id)
        return (int(base) if known else None), int(dropped_below)

    def select(self, query: str, **parameters: Any) -> list[tuple[Any, ...]]:
        """The rows of `queries/<query>.sql`, read-only."""
        return list(self._query(query, parameters).result_rows)

    def select_named(self, query: str, **parameters: Any) -> Iterable[dict[str, Any]]:
        """The same rows by the names of their columns."""
        return list(self._query(query, parameters).named_results())

    def command(self, command: str, **parameters: Any) -> None:
        """Run `queries/<command>.sql`, which changes something: for whoever may."""
        try:
            self.client.command(text_of(command), parameters={"database": self.database, **parameters})
        except (ClickHouseError, HTTPError, OSError) as error:
            raise judged(error) from error

    def _query(self, query: str, parameters: dict[str, Any]) -> Any:
        named = {"database": self.database, **parameters}
        try:
            return self.client.query(text_of(query), parameters=named, settings={"readonly": 1})
        except (ClickHouseError, HTTPError, OSError) as error:
            raise judged(error) from error


@cache
def text_of(query: str) -> str:
    """The text of `queries/<query>.sql`."""
    return files("inzage.sinks").joinpath("queries", f"{query}.sql").read_text(encoding="utf-8")


def judged(error: Exception) -> Exception:
    """What an error of the driver's, or another that has ClickHouse's `code`, means for whoever asked."""
    code = getattr(error, "code", None)
    if isinstance(error, OperationalError) and code is None:
        return TransientError("ClickHouse does not answer", code="transient.clickhouse")
    if code in _REFUSES_DATA or code in _OUT_OF_MEMORY:
        text = f"ClickHouse cannot decode a row (its code {code})"
        return BlockRefusedError(text, certain=code in _REFUSES_DATA)
    if code in _REFUSES_US:
        hint = "are the migrations applied, and may this user insert and select?"
        return ConfigError(f"ClickHouse refuses the statement (its code {code})", code="config.trail", hint=hint)
    return TransientError(f"ClickHouse cannot now (its code {code})", code="transient.clickhouse")
