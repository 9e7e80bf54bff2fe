"""What the verifier makes again is what the writer made: leaves from any record, columns from any datum."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from datetime import datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inzage.schemas.codec import RecordName, current, decode, encode
from inzage.sinks.leaf import headers_bytes, leaf_bytes, leaf_hash
from inzage.sinks.verification.expected import expected
from inzage.sinks.verification.leaf import Leaves, headers_of, leaf_hashes
from inzage.sinks.verification.row_binary import columns_of
from tests.records import records
from tests.verification_engine import decoded

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
data = st.binary(max_size=6)
headers = st.lists(st.tuples(text, st.none() | data), max_size=3)
said = st.tuples(
    st.integers(0, 2**63 - 1),
    st.integers(0, 1),
    st.integers(-(2**63), 2**63 - 1),
    st.none() | data,
    st.none() | data,
    headers,
)


@given(st.lists(said, max_size=5))
def test_both_encoders_make_the_same_leaves(many: list[tuple[Any, ...]]) -> None:
    rows = Leaves.none()
    for offset, kind, time, key, value, head in many:
        rows.offsets.append(offset)
        rows.types.append(kind)
        rows.timestamps.append(time)
        rows.keys.append(key)
        rows.values.append(value)
        rows.headers.append(headers_of(head))
    writers = [leaf_hash(leaf_bytes(*one[:5], headers_bytes(one[5]))) for one in many]
    assert leaf_hashes(rows) == writers


@pytest.mark.parametrize("name", ["activity", "verdict", "dead_letter", "pruning"])
def test_engine_and_encoder_agree_on_every_column(name: RecordName) -> None:
    """In a process of its own: an embedded engine is there once a process."""
    table = "events" if name == "activity" else f"{name}s"
    wanted = expected(table)
    assert wanted and wanted.spliced == name
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, context) as pool:

        @settings(max_examples=10, suppress_health_check=list(HealthCheck))
        @given(st.lists(records(name).map(_in_range), min_size=1, max_size=4))
        def agree(many: list[dict[str, Any]]) -> None:
            values = [encode(name, record) for record in many]
            columns = columns_of(current(name).text)
            rows = [decode(value)[1] for value in values]
            made = b"".join(column.encode(row[field]) for row in rows for field, column in columns.items())
            assert pool.submit(decoded, name, values).result() == made

        agree()


def _in_range(record: dict[str, Any]) -> dict[str, Any]:
    """The same with times that ClickHouse can hold; the sink sets others aside. Leap years stay leap years."""
    return {
        name: value.replace(year=2000 + value.year % 4) if isinstance(value, datetime) else value
        for name, value in record.items()
    }
