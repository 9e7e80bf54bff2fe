"""An INSERT that stays open takes block after block, and says when one did not arrive."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from inzage.schemas.codec import current, encode_datum
from inzage.schemas.errors import InzageError
from inzage.schemas.json_face import read
from inzage.streams.dossier.law import law
from inzage.streams.dossier.references import References
from inzage.streams.screening import open_insert
from inzage.streams.screening.batch import Batch
from inzage.streams.screening.column import Column
from inzage.streams.screening.engine import Controller, engine
from inzage.streams.screening.examples import merged
from inzage.streams.screening.open_insert import OpenInsert
from inzage.streams.screening.pack import policies_of
from inzage.streams.screening.row import Row

EMBEDDED = engine()._embedded
AT = datetime(2026, 3, 2, 10, tzinfo=UTC)
BUFFER = "Buffer('', '', 1, 1000000, 1000000, 1000000, 1000000, 1000000000, 1000000000)"


@pytest.fixture
def insert() -> Iterator[OpenInsert]:
    for statement in (
        "CREATE DATABASE IF NOT EXISTS opened",
        "CREATE OR REPLACE TABLE opened.names (n Int64, name String) ENGINE = Join(ANY, LEFT, n)"
        " SETTINGS join_any_take_last_row = 1",
        "DROP TABLE IF EXISTS opened.judged",
        "CREATE TABLE opened.judged (n Int64, half Int64 MATERIALIZED intDiv(100, n),"
        f" name String MATERIALIZED joinGet('opened.names', 'name', n)) ENGINE = {BUFFER}",
    ):
        EMBEDDED.query(statement)
    opened = EMBEDDED.open_insert("opened.judged", "INSERT INTO opened.judged (n)")
    yield opened
    EMBEDDED.close_inserts("opened.judged")


def block(*numbers: int) -> bytes:
    return EMBEDDED.query(f"SELECT arrayJoin([{', '.join(map(str, numbers))}]::Array(Int64)) AS n", "Native")


def kept() -> list[bytes]:
    said = EMBEDDED.query("SELECT n, half, name FROM opened.judged ORDER BY n", "TSV").splitlines()
    EMBEDDED.query("OPTIMIZE TABLE opened.judged")
    return said


def test_each_block_stands_there_at_once_and_sees_what_was_said_before(insert: OpenInsert) -> None:
    assert insert.feed(block(1, 2), 2) and kept() == [b"1\t100\t", b"2\t50\t"]
    EMBEDDED.query("INSERT INTO opened.names VALUES (2, 'two')")
    assert insert.feed(block(2, 4), 2) and kept() == [b"2\t50\ttwo", b"4\t25\t"]
    EMBEDDED.query("INSERT INTO opened.names VALUES (2, 'second')")
    assert insert.feed(block(2), 1) and kept() == [b"2\t50\tsecond"]


def test_what_a_row_takes_is_learnt_from_the_first_block(insert: OpenInsert, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for what a row is believed to take at first; later the first look comes when it may be there."""
    rows, slept, sleep = 100_000, list[float](), time.sleep
    many = EMBEDDED.query(f"SELECT toInt64(number + 1) AS n FROM numbers({rows})", "Native")

    def recorded(seconds: float) -> None:
        slept.append(seconds)
        sleep(seconds)

    monkeypatch.setattr(open_insert.time, "sleep", recorded)
    begun = time.monotonic()
    assert insert.feed(many, rows) and len(kept()) == rows
    took = time.monotonic() - begun
    assert slept[0] < 0.01
    slept.clear()
    assert insert.feed(many, rows) and len(kept()) == rows
    assert 0.01 < slept[0] < took + 0.1
    insert._a_row = before = 0.000_01
    insert._learn(before, late=True)
    assert insert._a_row < before


def test_a_block_that_fails_is_told_and_the_next_one_is_taken(insert: OpenInsert) -> None:
    assert insert.feed(block(5), 1) and kept() == [b"5\t20\t"]
    assert not insert.feed(block(1, 0), 2)
    kept()
    assert insert.feed(block(2), 1) and kept() == [b"2\t50\t"]


def test_only_a_few_stay_open_and_what_is_closed_can_be_emptied(insert: OpenInsert) -> None:
    assert insert.feed(block(5), 1)
    kept()
    for number in range(6):
        EMBEDDED.open_insert(f"opened.other_{number}", "")
    assert EMBEDDED.open_insert("opened.judged", "INSERT INTO opened.judged (n)") is not insert
    EMBEDDED.query("TRUNCATE TABLE opened.names")


def _batch(sql: str) -> tuple[Controller, Batch]:
    """The tables of a controller with one more column that is computed."""
    controller = engine().add(policies_of("HMBS"))
    engine().load_tables(controller, References("HMBS", law(), controller.policies.settings).tables(AT))
    plan = replace(controller.plan, judged=(*controller.plan.judged, Column("more", sql=sql, kept=True)))
    for table in ("read", "judged"):
        EMBEDDED.query(f"DROP TABLE {controller.database}.{table}")
    return controller, Batch(EMBEDDED, controller.database, plan, of_many=False)


def _row(offset: int, count: int) -> Row:
    base = policies_of("HMBS").own.base_event
    change = {"recipient": None, "record_count": count, "purpose": "RESEARCH", "data_state": "IDENTIFIED"}
    event = merged({**base, "controller_id": "HMBS", "recorded_at": AT}, change)
    now = int(AT.timestamp() * 1000)
    return Row(offset, now, encode_datum("activity", read({"event": event}).record), "", offset, now)


def test_a_row_that_an_expression_fails_on_is_found_alone() -> None:
    """No predicate may do so (predicate.py); if one did, the others would still be judged."""
    _, batch = _batch("intDiv(100, record_count)")
    rows = [_row(offset, 0 if offset == 3 else offset) for offset in range(1, 6)]
    hits, unreadable = batch.judge(current("activity"), rows)
    assert [row.offset for row in unreadable] == [3]
    assert sorted({hit.offset for hit in hits}) == [1, 2, 4, 5]


def test_a_block_of_columns_is_judged_whole_or_not_at_all() -> None:
    controller, batch = _batch("intDiv(100, record_count)")
    for counts, found in (((1, 2, 5), [1, 2, 3]), ((1, 0, 5), None)):
        rows = [_row(offset, number) for offset, number in enumerate(counts, 1)]
        assert batch._readable(current("activity"), rows) == (rows, [])
        own = ", ".join(
            f"{column.given or f'`{column.name}`'} AS `{column.name}`" for column in controller.plan.named[5:]
        )
        about = f"rowNumberInAllBlocks() + 1 AS _offset, {AT.timestamp()}::DateTime64(6, 'UTC') AS _time"
        about += f", _offset AS _horizon, _time AS _now, '' AS _fact, {own}"
        columns = EMBEDDED.query(f"SELECT {about} FROM {controller.database}.read", "Native")
        hits = batch.judge_block(columns, len(rows))
        assert (hits and sorted({hit.offset for hit in hits})) == found


def test_what_is_not_the_data_s_fault_ends_the_screening() -> None:
    _, batch = _batch("throwIf(ifNull(record_count, 0) = 3)")
    with pytest.raises(InzageError, match="the engine failed"):
        batch.judge(current("activity"), [_row(offset, offset) for offset in range(1, 6)])
