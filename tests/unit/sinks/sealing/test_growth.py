"""A log grows by the next offset only, and is cut at every step and wherever it is asked to be."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from aiokafka import ConsumerRecord
from hypothesis import given
from hypothesis import strategies as st

from inzage.schemas.errors import TamperError
from inzage.sinks.block import leaves_of
from inzage.sinks.ledger.compact_range import CompactRange
from inzage.sinks.sealing.growth import Growth
from inzage.sinks.sealing.state import Awaited

LOG = "inzage/hmbs/cluster/topic/0"
BASE = 7


def _records(offsets: Iterable[int]) -> list[Any]:
    return [
        ConsumerRecord("t", 0, BASE + at, 1000 + at, 1, b"k", b"v%d" % at, None, 1, 1, (("h", b"1"),))
        for at in offsets
    ]


def _tree(size: int) -> CompactRange:
    tree = CompactRange()
    tree.extend([leaf.hash for leaf in leaves_of(_records(range(size)))])
    return tree


@given(st.lists(st.integers(0, 40), max_size=8), st.integers(1, 30))
def test_cuts_do_not_depend_on_how_records_come(fetches: list[int], step: int) -> None:
    """A cut at every `step`, each with the root of all records before it."""
    growth, read = Growth(LOG, BASE, CompactRange(), step), 0
    for count in fetches:
        growth.take(_records(range(read, read + count)), 0.0)
        read += count
    cuts = [cut for cut, _ in growth.cuts]
    assert [cut.size for cut in cuts] == list(range(step, read + 1, step))
    assert all(cut.root == _tree(cut.size).root() for cut in cuts)
    assert (growth.due, growth.uncut) == (BASE + read, read % step)


def test_subtrees_stand_in_the_cut_that_completes_them() -> None:
    growth = Growth(LOG, BASE, CompactRange(), 200)
    growth.take(_records(range(600)), 0.0)
    completed = [[tree[:2] for tree in cut.subtrees if tree.level >= 8] for cut, _ in growth.cuts]
    assert completed == [[], [(8, 0)], [(8, 1)]]
    assert growth.cuts[1][0].subtrees[0].hash == _tree(256).root()


def test_a_cut_tells_its_edge() -> None:
    """With it, and what was completed before, nobody needs the leaves of the last tile."""
    growth = Growth(LOG, BASE, CompactRange(), 200)
    growth.take(_records(range(600)), 0.0)
    for cut, _ in growth.cuts:
        edge = [tree for tree in cut.subtrees if tree.level < 8]
        assert sum(1 << tree.level for tree in edge) == cut.size % 256
        assert edge == _tree(cut.size).edge()


def test_old_records_are_left_out_and_a_gap_stops() -> None:
    growth = Growth(LOG, BASE, CompactRange(), 100)
    growth.take(_records(range(5)), 0.0)
    growth.take(_records(range(3, 8)), 0.0)
    assert growth.tree.root() == _tree(8).root()
    for offsets in ([9, 10], [8, 10], [8, 8]):
        with pytest.raises(TamperError, match="is missing"):
            growth.take(_records(offsets), 0.0)


@pytest.mark.parametrize("fetches", [[30], [10, 20], [20, 10], [19, 1, 10]])
def test_what_is_public_comes_out_first(fetches: list[int]) -> None:
    """Nothing below it is cut again, and cutting goes on from there."""
    growth, read = Growth(LOG, BASE, CompactRange(), 8, awaited=Awaited(LOG, BASE, 20, _tree(20).root())), 0
    for count in fetches:
        growth.take(_records(range(read, read + count)), 0.0)
        read += count
    assert growth.agreed and growth.agreed.tree.size == 20
    growth.cut()
    assert [cut.size for cut, _ in growth.cuts] == [28, 30]


def test_another_root_than_the_public_one_stops() -> None:
    growth = Growth(LOG, BASE, CompactRange(), 8, awaited=Awaited(LOG, BASE, 20, _tree(19).root()))
    growth.take(_records(range(19)), 0.0)
    assert not growth.cuts and not growth.uncut
    with pytest.raises(TamperError, match="not the one that was sealed"):
        growth.take(_records([19]), 0.0)
