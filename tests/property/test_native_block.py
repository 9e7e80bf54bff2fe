"""Columns that are put before a block of ClickHouse's are read by ClickHouse as what they say."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inzage.streams.screening.engine import engine
from inzage.streams.screening.native_block import preceded, texts, whole_numbers

_LONG = st.integers(-(1 << 63), (1 << 63) - 1)
_TIME = st.integers(-2_208_988_800_000_000, 10_413_791_999_999_999)  # 1900 to 2299
_ROW = st.tuples(_LONG, _TIME, st.text(max_size=200), st.text(max_size=3))
_STRUCTURE = "n Int64, at DateTime64(6, 'UTC'), fact String, own String"


@settings(deadline=None, max_examples=60)
@given(st.lists(_ROW, min_size=1, max_size=300))
def test_what_was_put_before_is_read_back(rows: list[tuple[int, int, str, str]]) -> None:
    embedded = engine()._embedded
    embedded.query("CREATE DATABASE IF NOT EXISTS native")
    embedded.query("CREATE OR REPLACE TABLE native.own (own String) ENGINE = Memory")
    embedded.query(f"CREATE OR REPLACE TABLE native.whole ({_STRUCTURE}) ENGINE = Memory")
    own = "\n".join(json.dumps({"own": row[3]}) for row in rows)
    assert embedded.insert_file("INSERT INTO native.own", "JSONEachRow", own.encode())
    block = embedded.query("SELECT own FROM native.own", "Native")
    before = [
        whole_numbers("n", "Int64", [row[0] for row in rows]),
        whole_numbers("at", "DateTime64(6, 'UTC')", [row[1] for row in rows]),
        texts("fact", [row[2] for row in rows]),
    ]
    assert embedded.insert_file("INSERT INTO native.whole", "Native", preceded(block, len(rows), before))
    said = [
        json.loads(line) for line in embedded.query("SELECT * FROM native.whole", "JSONCompactEachRow").splitlines()
    ]
    start = datetime(1970, 1, 1, tzinfo=UTC)
    wanted = [
        [n, (start + timedelta(microseconds=at)).strftime("%Y-%m-%d %H:%M:%S.%f"), fact, own]
        for n, at, fact, own in rows
    ]
    assert [[int(n), at, fact, own] for n, at, fact, own in said] == wanted


def test_a_block_of_another_length_is_refused() -> None:
    block = engine()._embedded.query("SELECT 1 AS one", "Native")
    with pytest.raises(ValueError, match="a block of 1 rows where 2 were expected"):
        preceded(block, 2, [])
