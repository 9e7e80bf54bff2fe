"""The commit rule: never past an unfinished batch."""

from __future__ import annotations

from types import SimpleNamespace

from aiokafka.structs import TopicPartition
from hypothesis import given
from hypothesis import strategies as st

from inzage.streams.transport.batch import RecordBatch
from inzage.streams.transport.progress import Progress

TP = TopicPartition("events", 0)


def batch(first: int, last: int, partition: int = 0) -> RecordBatch:
    return RecordBatch(
        "events", partition, [SimpleNamespace(offset=first), SimpleNamespace(offset=last)], incarnation=1
    )


def test_nothing_is_committed_before_anything_is_known() -> None:
    assert Progress().position(TP) is None


def test_a_batch_finished_out_of_order_waits_for_those_before_it() -> None:
    progress = Progress()
    progress.begin(TP, 10)
    first = progress.hand_out(batch(10, 19), now=0.0)
    second = progress.hand_out(batch(20, 29), now=0.0)
    progress.finish(second)
    assert progress.position(TP) == 10
    progress.finish(first)
    assert progress.position(TP) == 30


def test_partitions_do_not_wait_for_one_another() -> None:
    progress = Progress()
    progress.hand_out(batch(0, 9), now=0.0)
    progress.finish(progress.hand_out(batch(0, 4, partition=1), now=0.0))
    assert progress.position(TP) is None
    assert progress.position(TopicPartition("events", 1)) == 5


def test_finishing_a_discarded_batch_commits_nothing() -> None:
    progress = Progress()
    stale = progress.hand_out(batch(0, 9), now=0.0)
    progress.forget()
    assert stale.discarded
    fresh = progress.hand_out(batch(0, 9), now=1.0)
    progress.finish(stale)
    assert progress.position(TP) is None
    assert progress.unfinished["events"] == 1
    progress.finish(fresh)
    assert progress.position(TP) == 10


def test_age_is_that_of_the_oldest_unfinished_batch() -> None:
    progress = Progress()
    assert progress.oldest_age(5.0) == 0.0
    first = progress.hand_out(batch(0, 9), now=1.0)
    progress.hand_out(batch(10, 19), now=3.0)
    assert progress.oldest_age(5.0) == 4.0
    progress.finish(first)
    assert progress.oldest_age(5.0) == 2.0


def test_a_batch_is_shown_without_its_records() -> None:
    shown = RecordBatch("events", 3, [SimpleNamespace(offset=5, value=b"J. Janssen")], incarnation=1)
    assert "Janssen" not in repr(shown) + str(shown)
    assert str(shown) == "events[3] 5..5"


@given(st.lists(st.integers(0, 9), max_size=30))
def test_the_position_never_passes_an_unfinished_batch(order: list[int]) -> None:
    """Whatever order batches finish in, and finishing one twice changes nothing."""
    progress = Progress()
    progress.begin(TP, 0)
    handed = [progress.hand_out(batch(10 * n, 10 * n + 9), now=0.0) for n in range(10)]
    finished: set[int] = set()
    for n in order:
        progress.finish(handed[n])
        finished.add(n)
        first_unfinished = next((m for m in range(10) if m not in finished), 10)
        assert progress.position(TP) == 10 * first_unfinished
        assert progress.unfinished["events"] == 10 - len(finished)
