"""Whatever order numbers come in, whatever is lost and wherever the state is carried over: the naive model agrees."""

from __future__ import annotations

import json
import random
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from inzage.sinks.completeness import numbers as module
from inzage.sinks.completeness.numbers import Numbers

GRACE = 5_000  # milliseconds


class Naive:
    """Every number by itself: when it was known to be given out, whether it arrived, whether it is called missing."""

    def __init__(self, begin: int) -> None:
        self.begin = begin
        self.high = begin - 1
        self.known: dict[int, int] = {}
        self.arrived: set[int] = set()
        self.missing: set[int] = set()
        self.clock = 0

    def know(self, high: int, at: int) -> None:
        if high <= self.high:
            return
        self.clock = max(self.clock, -(-at // 1000) * 1000)  # told to the second, and never too early
        self.known.update((number, self.clock) for number in range(self.high + 1, high + 1))
        self.high = max(self.high, high)

    def see(self, numbers: list[int], at: int) -> set[int]:
        closed = self.missing & set(numbers)
        self.missing -= closed
        self.arrived |= {number for number in numbers if number >= self.begin}
        self.know(max(numbers), at)
        return closed

    def settle(self, until: int) -> set[int]:
        found = {number for number, at in self.known.items() if at <= until} - self.arrived - self.missing
        self.missing |= found
        return found


@given(
    seed=st.integers(0, 2**32),
    count=st.integers(1, 60),
    lost=st.sets(st.integers(1, 60)),
    spread=st.integers(0, 40),
    heartbeats=st.floats(0, 0.5),
)
def test_gaps_and_closings_are_those_of_the_naive_model(
    seed: int, count: int, lost: set[int], spread: int, heartbeats: float
) -> None:
    draw = random.Random(seed)
    arrivals = sorted(
        (number + draw.uniform(0, spread), number) for number in range(1, count + 1) if number not in lost
    )
    arrivals += [(draw.uniform(0, count + spread), draw.choice(arrivals)[1]) for _ in range(3) if arrivals]
    order = [number for _, number in sorted(arrivals)]
    numbers, naive, at = Numbers(1), Naive(1), 0
    while order:
        size = draw.randint(1, 5)
        batch, order = order[:size], order[size:]
        at += draw.choice((0, 300, 1_000, 4_000))
        late = draw.choice((0, 0, 700))  # another partition may be behind
        assert _all(numbers.see(batch, at - late)) == naive.see(batch, at - late)
        if draw.random() < heartbeats:
            said = naive.high + draw.randint(-2, 2)
            numbers.hear(said, at)
            naive.know(said, at)
        if draw.random() < 0.5:
            assert _all(numbers.settle(at - GRACE)) == naive.settle(at - GRACE)
        if draw.random() < 0.2:
            numbers = Numbers.restored(json.loads(json.dumps(numbers.state())))
    assert _all(numbers.settle(at + 10_000)) == naive.settle(at + 10_000)
    assert not numbers.waits
    rest = [number for number in range(1, count + 1) if number in lost]
    if rest:
        assert _all(numbers.see(rest, at)) == naive.see(rest, at)


@given(seed=st.integers(0, 2**32), begin=st.integers(-5, 10**12), count=st.integers(1, 30))
def test_a_source_that_numbers_itself_begins_with_the_lowest_of_its_first_numbers(
    seed: int, begin: int, count: int
) -> None:
    draw = random.Random(seed)
    said = list(range(begin, begin + count))
    order = [number for number in said if draw.random() < 0.7] or said[:1]
    draw.shuffle(order)
    numbers = Numbers(None)
    for place, number in enumerate(order):
        assert numbers.see([number], place) == []
    found = _all(numbers.settle(10_000))
    assert found == set(range(min(order), max(order) + 1)) - set(order)


@given(st.lists(st.integers(1, 2**62), min_size=1, max_size=10))
def test_leaps_are_bounded_in_memory_and_nothing_is_told_twice(said: list[int]) -> None:
    """Numbers that are none, such as clocks: every one that did not come is missing once, at once where far."""
    numbers = Numbers(1)
    told: list[tuple[int, int]] = []
    arrived: set[int] = set()
    for place, number in enumerate(said):
        closed = numbers.see([number], place)
        assert all(any(first <= run.first and run.last <= last for first, last in told) for run in closed)
        arrived.add(number)
        told += [(run.first, run.last) for run in numbers.settle(-1)]
        assert len(numbers._flags) <= module.WINDOW
    told += [(run.first, run.last) for run in numbers.settle(10_000)]
    told.sort()
    assert all(before[1] < after[0] for before, after in pairwise(told))
    covered = sum(last - first + 1 for first, last in told)
    in_time = sum(not any(first <= number <= last for first, last in told) for number in arrived)
    assert covered + in_time == max(said)


def _all(runs: list[module.Run]) -> set[int]:
    assert all(run.missing == run.last - run.first + 1 for run in runs)
    told = [number for run in runs for number in range(run.first, run.last + 1)]
    assert len(set(told)) == len(told)
    return set(told)
