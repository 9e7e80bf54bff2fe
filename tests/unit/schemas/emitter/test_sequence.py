"""Numbers are contiguous per instance and topic, whoever asks for them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from inzage.schemas.emitter.sequence import SourceSequence
from inzage.schemas.errors import ConfigError


def take(sequence: SourceSequence, topic: str) -> tuple[str, int]:
    with sequence.next(topic) as given:
        return given


def test_each_topic_counts_from_one_under_its_own_instance() -> None:
    sequence = SourceSequence()
    given = [take(sequence, topic) for topic in ("events", "events", "references", "events")]
    assert [number for _, number in given] == [1, 2, 1, 3]
    assert len({instance for instance, _ in given}) == 2


def test_a_new_process_is_a_new_instance() -> None:
    assert SourceSequence().instance != SourceSequence().instance


def test_a_number_is_taken_back_when_nothing_was_handed_over() -> None:
    sequence = SourceSequence()
    with pytest.raises(ValueError), sequence.next("events"):
        raise ValueError
    assert take(sequence, "events")[1] == 1


def test_threads_share_without_gap_or_repeat() -> None:
    sequence = SourceSequence()
    with ThreadPoolExecutor(8) as pool:
        numbers = [given[1] for given in pool.map(lambda _: take(sequence, "events"), range(400))]
    assert sorted(numbers) == list(range(1, 401))


def test_a_store_keeps_instance_and_numbers(tmp_path: Path) -> None:
    store = tmp_path / "claims.sequence"
    first = SourceSequence(store)
    before = take(first, "events")
    first.close()
    again = SourceSequence(store)
    assert take(again, "events") == (before[0], before[1] + 1)


def test_a_store_has_one_holder(tmp_path: Path) -> None:
    held = SourceSequence(tmp_path / "claims.sequence")
    with pytest.raises(ConfigError, match="another process"):
        SourceSequence(tmp_path / "claims.sequence")
    held.close()


def test_what_is_no_store_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes").write_text("remember the milk")
    with pytest.raises(ConfigError, match="not a sequence store"):
        SourceSequence(tmp_path / "notes")


def test_the_last_number_is_that_of_what_was_handed_over() -> None:
    """A number that may still be taken back is nobody's last one."""
    sequence = SourceSequence()
    assert sequence.last("events") == (f"{sequence.instance}/events", 0)
    take(sequence, "events")
    with pytest.raises(ValueError), sequence.next("events"):
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(sequence.last, "events", within=0.05).result() is None
        raise ValueError
    assert sequence.last("events") == (f"{sequence.instance}/events", 1)
