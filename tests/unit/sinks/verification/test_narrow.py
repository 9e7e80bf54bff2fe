"""Which rows are to blame is found from whatever leads to the signed root, and from nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

import pytest

from inzage.sinks.ledger.compact_range import CompactRange
from inzage.sinks.verification.narrow import Narrowed, Row, narrow

LEAVES = [sha256(str(number).encode()).digest() for number in range(1_000)]
FALSE = sha256(b"false").digest()


def _tree(leaves: Sequence[bytes]) -> tuple[CompactRange, dict[int, set[bytes]]]:
    tree = CompactRange()
    tiles = {number: {found} for level, number, found in tree.extend(leaves) if level == 8}
    return tree, tiles


def _narrow(rows: Sequence[Row], good: int, *, kafka: bool = False, tiles: bool = True) -> Narrowed:
    sealed, claimed = _tree(LEAVES)
    return narrow(
        "log",
        _tree(LEAVES[:good])[0],
        sealed.root(),
        rows,
        claimed if tiles else {},
        lambda first, end: LEAVES[first:end] if kafka else None,
    )


def _rows(good: int, **changed: Row) -> list[Row]:
    rows = [Row(one, one) for one in LEAVES[good:]]
    for name, row in changed.items():
        rows[int(name[1:]) - good] = row
    return rows


@pytest.mark.parametrize("good", [0, 100, 256, 300])
def test_a_replaced_row_is_narrowed_to_its_subtree(good: int) -> None:
    found = _narrow(_rows(good, _400=Row(FALSE, FALSE)), good)
    assert [(one.code, one.first, one.last) for one in found.findings] == [("leaf.replaced", max(256, good), 511)]
    assert found.tree and found.tree.root() == _tree(LEAVES)[0].root()


def test_with_the_original_it_is_narrowed_to_the_row() -> None:
    found = _narrow(_rows(100, _400=Row(FALSE, FALSE), _990=Row(FALSE, FALSE)), 100, kafka=True)
    assert [(one.first, one.last) for one in found.findings] == [(400, 400), (990, 990)]


def test_a_row_that_differs_from_its_own_hash_needs_no_further_finding() -> None:
    found = _narrow(_rows(100, _400=Row(FALSE, LEAVES[400])), 100, tiles=False)
    assert found.tree and not found.findings


def test_rows_that_changed_places_explain_their_subtree() -> None:
    rows = _rows(100, _400=Row(FALSE, LEAVES[401]), _401=Row(FALSE, LEAVES[400]))
    found = _narrow(rows, 100)
    assert found.tree and not found.findings


def test_the_log_goes_on_after_a_row_that_is_missing() -> None:
    found = _narrow(_rows(100, _400=Row(None, None)), 100)
    assert found.tree and not found.findings  # that it is missing was said


def test_what_leads_nowhere_is_not_believed() -> None:
    assert _narrow(_rows(100, _400=Row(FALSE, FALSE)), 100, tiles=False).tree is None
    tail = _narrow(_rows(100, _990=Row(FALSE, FALSE)), 100)
    assert tail.tree is None and not tail.findings


def test_of_two_claims_the_one_that_leads_to_the_root_is_taken() -> None:
    sealed, tiles = _tree(LEAVES)
    tiles[1].add(FALSE)
    rows = _rows(100, _400=Row(FALSE, FALSE))
    found = narrow("log", _tree(LEAVES[:100])[0], sealed.root(), rows, tiles, lambda first, end: None)
    assert [(one.first, one.last) for one in found.findings] == [(256, 511)]
