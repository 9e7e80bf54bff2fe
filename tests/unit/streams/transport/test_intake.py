"""When a batch is cut, and that cutting loses, reorders and repeats nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from aiokafka.structs import ConsumerRecord, TopicPartition
from hypothesis import given
from hypothesis import strategies as st

from inzage.streams.transport.intake import RECORD_BYTES, Intake
from inzage.streams.transport.settings import BatchSettings

TP = TopicPartition("events", 0)
OTHER = TopicPartition("events", 1)
SETTINGS = BatchSettings(max_records=10, max_bytes=10_000, buffered_batches=2, linger=0.005, patience=0.5)
IDLE: Counter[str] = Counter()
BUSY = Counter({"events": 1})


def record(offset: int, size: int = 0) -> ConsumerRecord:
    return ConsumerRecord("events", 0, offset, 0, 0, None, b"x" * size, None, 0, size, ())


def records(offsets: Iterable[int]) -> list[ConsumerRecord]:
    return [record(offset) for offset in offsets]


def offsets(cut: object) -> list[int]:
    assert isinstance(cut, tuple)
    return [found.offset for found in cut[1]]


def test_an_idle_agent_gets_a_lone_record_at_once() -> None:
    intake = Intake(SETTINGS)
    intake.add(TP, records([7]), now=100.0)
    assert offsets(intake.cut(IDLE, now=100.0)) == [7]


def test_a_thin_batch_keeps_its_distance_from_the_one_before() -> None:
    intake = Intake(SETTINGS)
    intake.add(TP, records([0]), now=100.0)
    assert intake.cut(IDLE, now=100.0)
    intake.add(TP, records([1]), now=100.001)
    assert intake.cut(IDLE, now=100.002) is None
    assert offsets(intake.cut(IDLE, now=100.006)) == [1]


def test_thin_records_grow_while_the_agent_is_busy() -> None:
    intake = Intake(SETTINGS)
    intake.add(TP, records(range(3)), now=100.0)
    assert intake.cut(BUSY, now=100.1) is None
    intake.add(TP, records(range(3, 6)), now=100.2)
    assert offsets(intake.cut(IDLE, now=100.3)) == list(range(6))


def test_a_full_batch_queues_behind_a_busy_agent_and_its_remainder_waits() -> None:
    intake = Intake(SETTINGS)
    intake.add(TP, records(range(13)), now=100.0)
    assert offsets(intake.cut(BUSY, now=100.0)) == list(range(10))
    assert intake.cut(BUSY, now=100.1) is None
    assert offsets(intake.cut(IDLE, now=100.1)) == [10, 11, 12]


def test_no_more_batches_are_queued_than_the_setting_allows() -> None:
    intake = Intake(SETTINGS)
    intake.add(TP, records(range(20)), now=100.0)
    assert intake.cut(Counter({"events": 2}), now=200.0) is None
    assert intake.is_full("events")
    assert not intake.is_full("others")


def test_a_quiet_partition_is_not_starved_by_a_busy_one() -> None:
    intake = Intake(SETTINGS)
    intake.add(OTHER, records([0]), now=100.0)
    intake.add(TP, records(range(20)), now=100.1)
    assert intake.cut(BUSY, now=100.2)[0] == TP
    assert intake.cut(BUSY, now=100.6)[0] == OTHER


def test_records_below_the_expected_offset_are_trimmed() -> None:
    intake = Intake(SETTINGS)
    intake.expect(TP, 5)
    intake.add(TP, records(range(3, 8)), now=100.0)
    intake.add(TP, records(range(6, 9)), now=100.0)
    assert offsets(intake.cut(IDLE, now=101.0)) == [5, 6, 7, 8]


def test_a_record_larger_than_a_batch_goes_alone() -> None:
    intake = Intake(SETTINGS)
    intake.add(TP, [record(0), record(1, 20_000), record(2)], now=100.0)
    cuts = [offsets(intake.cut(IDLE, now=101.0 + step)) for step in range(3)]
    assert cuts == [[0], [1], [2]]


def test_clearing_forgets_records_and_expectations() -> None:
    intake = Intake(SETTINGS)
    intake.add(TP, records(range(5)), now=100.0)
    intake.clear()
    assert not intake
    intake.add(TP, records(range(2)), now=101.0)
    assert offsets(intake.cut(IDLE, now=101.0)) == [0, 1]


@given(
    fetches=st.lists(st.lists(st.integers(0, 3_000), min_size=1, max_size=25), max_size=8),
    max_records=st.integers(1, 12),
    max_bytes=st.integers(1, 5_000),
)
def test_cuts_are_the_fetches_end_to_end(fetches: list[list[int]], max_records: int, max_bytes: int) -> None:
    intake = Intake(BatchSettings(max_records=max_records, max_bytes=max_bytes))
    start = 0
    for sizes in fetches:
        intake.add(TP, [record(start + n, size) for n, size in enumerate(sizes)], now=0.0)
        start += len(sizes)
    cuts = []
    while intake:
        cut = intake.cut(IDLE, now=10.0 * (1 + len(cuts)))
        assert cut is not None
        cuts.append(cut[1])
    assert [found.offset for taken in cuts for found in taken] == list(range(start))
    for taken in cuts:
        assert 1 <= len(taken) <= max_records
        size = sum(found.serialized_key_size + found.serialized_value_size + RECORD_BYTES for found in taken)
        assert size <= max_bytes or len(taken) == 1
    assert not intake.is_full("events")
