"""An Avro long as it is spliced is the one that Avro itself would read."""

from __future__ import annotations

from io import BytesIO

from fastavro import schemaless_reader
from hypothesis import example, given
from hypothesis import strategies as st

from inzage.schemas.splice import long_bytes


@given(st.integers(-(1 << 63), (1 << 63) - 1))
@example(8191)
@example(8192)
@example(-8192)
@example(1 << 20)
def test_a_long_reads_back(number: int) -> None:
    assert schemaless_reader(BytesIO(long_bytes(number)), {"type": "long"}, None) == number
