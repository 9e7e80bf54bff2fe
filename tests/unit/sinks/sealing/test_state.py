"""One size never gets two roots: a log moves only from where the state has it."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest

from inzage.schemas.errors import ConfigError, TamperError
from inzage.sinks.ledger.compact_range import CompactRange
from inzage.sinks.ledger.hashing import hash_leaf
from inzage.sinks.ledger.tree import Tree
from inzage.sinks.sealing import state as state_module
from inzage.sinks.sealing.round import Cut, Prune, Round
from inzage.sinks.sealing.state import Awaited, Standing, State, meta_rows

META = "inzage/meta/cluster"
LOG = "inzage/hmbs/cluster/topic/0"
AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


def _tree(size: int) -> CompactRange:
    tree = CompactRange()
    tree.extend([hash_leaf(b"%d" % number) for number in range(size)])
    return tree


def _standing(size: int) -> Standing:
    return Standing(LOG, 3, _tree(size))


def _round(first: int, size: int) -> Round:
    return Round(META, first, (Cut(LOG, 3, size, _tree(size).root()),), AT)


def test_a_log_moves_only_from_its_size(tmp_path: Path) -> None:
    state = State(tmp_path, META)
    state.begin(_round(0, 5), [(None, _standing(5))])
    for before in (None, 0, 4, 6):
        with pytest.raises(TamperError):
            state.begin(_round(1, 9), [(before, _standing(9))])
    for size in (4, 5):  # neither back nor a second root
        with pytest.raises(TamperError):
            state.begin(_round(1, size), [(5, _standing(size))])
    with pytest.raises(TamperError):
        state.begin(_round(1, 9), [(5, Standing(LOG, 4, _tree(9)))])
    assert state.pending() == _round(0, 5), "what failed left nothing behind"
    state.begin(_round(1, 9), [(5, _standing(9))])
    assert state.standing()[LOG] == _standing(9)


def test_everything_is_there_again(tmp_path: Path) -> None:
    """Of every table, after closing; the pending round until it is done."""
    state = State(tmp_path, META)
    prune = Prune(LOG, 2, 5, 5, _tree(5).root(), tuple(_tree(2).hashes()), "why", "who")
    round_ = Round(META, 0, (prune, Cut(LOG, 3, 5, _tree(5).root())), AT)
    state.begin(round_, [(None, _standing(5))], 8, {"t": {"read": [4], "sources": {"a": [1], "b": None}}})
    meta, leaves = CompactRange(), [hash_leaf(b"a"), hash_leaf(b"b")]
    whole = round_.over(meta, leaves)
    state.complete(whole, meta, leaves)
    state.close()
    state = State(tmp_path, META)
    assert (state.pending(), state.meta(), state.answered_until) == (whole, meta, 8)
    assert (state.watched(), state.pruned()[LOG].minimum_index) == ({"t": {"read": [4], "sources": {"a": [1]}}}, 2)
    assert (state.root(LOG, 5), state.root(LOG, 4)) == (_tree(5).root(), None)
    state.done(17)
    assert (state.pending(), state.public_until) == (None, 17)
    with meta_rows(state.path) as read:
        assert Tree(2, read).root() == meta.root()


def test_roots_are_remembered_for_a_while(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state_module, "REMEMBERED_ROOTS", 3)
    state = State(tmp_path, META)
    for size in range(1, 7):
        state.begin(_round(0, size), [(size - 1 or None, _standing(size))])
    assert [size for size in range(8) if state.root(LOG, size)] == [4, 5, 6]


def test_what_is_adopted_is_adopted_whole(tmp_path: Path) -> None:
    state = State(tmp_path, META)
    with pytest.raises(RuntimeError), state.adopting() as adoption:
        adoption.round([hash_leaf(b"a")])
        adoption.awaits(Awaited(LOG, 3, 5, _tree(5).root()))
        raise RuntimeError
    assert (state.meta().size, state.awaited()) == (0, {})
    with state.adopting() as adoption:
        adoption.round([hash_leaf(b"a")])
        adoption.awaits(Awaited(LOG, 3, 5, _tree(5).root()))
        adoption.finish(2, pending_done=False)
    assert (state.meta().size, state.awaited()[LOG].size, state.public_until) == (1, 5, 2)
    state.agree(None, _standing(5))
    assert (state.awaited(), state.standing()[LOG].tree.size) == ({}, 5)


def test_it_is_of_one_cluster_and_one_version(tmp_path: Path) -> None:
    state = State(tmp_path, META)
    state.close()
    with pytest.raises(ConfigError, match="not of inzage/meta/other"):
        State(tmp_path, "inzage/meta/other")
    base = sqlite3.connect(tmp_path / "state.sqlite")
    base.execute("PRAGMA user_version = 2")
    base.close()
    with pytest.raises(ConfigError, match="version 2"):
        State(tmp_path, META)
    assert (tmp_path / "state.sqlite").stat().st_mode & 0o077 == 0
