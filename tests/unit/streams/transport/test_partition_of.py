"""A key lies on the partition where Kafka's own partitioners put it, whoever publishes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kafka.partitioner.default import murmur2

from inzage.streams.transport.publisher import partition_of


@given(st.binary(max_size=64), st.integers(1, 64))
def test_it_agrees_with_kafka_python(key: bytes, partitions: int) -> None:
    assert partition_of(key, partitions) == (murmur2(key) & 0x7FFFFFFF) % partitions


@pytest.mark.parametrize(
    ("key", "hash_"),
    [
        (b"21", -973932308),
        (b"foobar", -790332482),
        (b"a-little-bit-long-string", -985981536),
        (b"a-little-bit-longer-string", -1486304829),
        (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        (b"abc", 479470107),
    ],
)
def test_it_agrees_with_the_java_client(key: bytes, hash_: int) -> None:
    """Values of UtilsTest.testMurmur2 in Apache Kafka."""
    assert partition_of(key, 12) == (hash_ & 0x7FFFFFFF) % 12
