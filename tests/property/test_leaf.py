"""The leaf encoding says everything about a record, and says it in one way only."""

from __future__ import annotations

import hashlib
from dataclasses import astuple, dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inzage.sinks.leaf import headers_bytes, leaf_bytes, leaf_hash, leaf_hashes, read_headers

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
data = st.binary(max_size=6)
headers = st.lists(st.tuples(text, st.none() | data), max_size=3)


@dataclass(frozen=True)
class Record:
    offset: int
    timestamp_type: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]

    def leaf(self) -> bytes:
        return leaf_bytes(*astuple(self)[:5], headers_bytes(self.headers))


records = st.builds(
    Record,
    offset=st.integers(0, 2**63 - 1),
    timestamp_type=st.integers(0, 1),
    timestamp=st.integers(-(2**63), 2**63 - 1),
    key=st.none() | data,
    value=st.none() | data,
    headers=headers.map(tuple),
)


@given(records, records)
def test_two_records_share_a_leaf_only_when_they_are_equal(one: Record, other: Record) -> None:
    assert (one.leaf() == other.leaf()) == (one == other)


@given(records, st.sampled_from(["offset", "timestamp_type", "timestamp", "key", "value", "headers"]), st.data())
def test_any_changed_field_changes_the_leaf(record: Record, field: str, draw: st.DataObject) -> None:
    other = draw.draw(records.filter(lambda candidate: getattr(candidate, field) != getattr(record, field)))
    changed = replace(record, **{field: getattr(other, field)})
    assert changed.leaf() != record.leaf()
    assert leaf_hash(changed.leaf()) != leaf_hash(record.leaf())


@given(records)
def test_bytes_cannot_move_between_key_value_and_headers(record: Record) -> None:
    """Without lengths, key `ab` + value `c` and key `a` + value `bc` would be one leaf."""
    if record.key and record.value is not None:
        moved = replace(record, key=record.key[:-1], value=record.key[-1:] + record.value)
        assert moved.leaf() != record.leaf()


@given(st.lists(records, max_size=4), st.integers(4090, 4100))
def test_hashing_many_is_hashing_each(said: list[Record], length: int) -> None:
    """Also around the length beyond which another path is taken."""
    said += [replace(record, value=bytes(length), headers=(("h", bytes(length)),)) for record in said]
    assert leaf_hashes(said) == [leaf_hash(record.leaf()) for record in said]


@given(headers)
def test_headers_are_read_back(said: list[tuple[str, bytes | None]]) -> None:
    assert read_headers(headers_bytes(said)) == said


@given(headers, st.integers(1, 3))
def test_headers_cut_short_are_refused(said: list[tuple[str, bytes | None]], cut: int) -> None:
    with pytest.raises(ValueError, match="headers"):
        read_headers(headers_bytes(said)[:-cut])


def test_the_leaf_stands_as_documented() -> None:
    encoded = leaf_bytes(258, 1, 1000, b"k", None, headers_bytes([("h", b"v"), ("n", None)]))
    assert encoded.hex(" ", 1) == (
        "01 00 00 00 00 00 00 01 02 01 00 00 00 00 00 00 03 e8 00 00 00 01 6b ff ff ff ff "
        "00 00 00 02 00 00 00 01 68 00 00 00 01 76 00 00 00 01 6e ff ff ff ff"
    )
    assert leaf_hash(encoded) == hashlib.sha256(b"\0" + encoded).digest()
