"""Keeps what the sealer must not forget: how far each log is sealed, the meta log, and the round under way.

One SQLite file, synchronous, for one process at a time. A log moves from the size it was last sealed at and from no
other, so one size never gets two roots; and a round is kept from before it is signed until it is public and archived.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inzage.schemas.errors import ConfigError, TamperError, TransientError
from inzage.sinks.ledger.compact_range import TILE_HEIGHT, CompactRange, Subtree
from inzage.sinks.ledger.hashing import HASH_BYTES
from inzage.sinks.sealing.round import Prune, Round
from inzage.sinks.sealing.state_file import StateFile

REMEMBERED_ROOTS = 4096
"""Sizes of a log whose roots are kept, the newest: a request for a pruning names one of them."""

_NOTHING: Mapping[str, Any] = {}
_READ = ""  # as a source: how far the partitions of the topic were read


@dataclass(frozen=True, slots=True)
class Standing:
    """A log as it was last sealed: it began at offset `base`, and this is its tree."""

    origin: str
    base: int
    tree: CompactRange


@dataclass(frozen=True, slots=True)
class Awaited:
    """What is public of a log and must come out of Kafka again before more of it is signed."""

    origin: str
    base: int
    size: int
    root: bytes


@dataclass(frozen=True, slots=True)
class Pruned:
    """What the newest statement says of a log: what lies below is dropped, and these are its complete subtrees."""

    origin: str
    minimum_index: int
    frontier: tuple[bytes, ...]


class State:
    """The state in `directory`, made when it is not there. Raises `ConfigError` when another process has it.

    Methods raise `TransientError` when the file cannot be written.
    """

    def __init__(self, directory: Path, meta_origin: str) -> None:
        self._file = StateFile(directory)
        self.path, self._base = self._file.path, self._file.base
        self._meta_origin = meta_origin
        self._writing = threading.Lock()
        if self._kept("meta_origin") is None:
            self._keep("meta_origin", meta_origin)
        if (found := self._kept("meta_origin")) != meta_origin:
            self.close()
            raise ConfigError(
                f"{self.path}: the state of {found}, not of {meta_origin}",
                code="config.sealer",
                hint="each Kafka cluster needs a data_dir of its own",
            )

    def close(self) -> None:
        self._file.close()

    def standing(self) -> dict[str, Standing]:
        """Every log that was sealed, by origin, without the meta log."""
        rows = self._base.execute(
            "SELECT origin, base, size, frontier FROM logs WHERE origin != ?", [self._meta_origin]
        )
        return {origin: Standing(origin, base, _tree(size, frontier)) for origin, base, size, frontier in rows}

    def meta(self) -> CompactRange:
        """The meta log."""
        row = self._base.execute("SELECT size, frontier FROM logs WHERE origin = ?", [self._meta_origin]).fetchone()
        return _tree(*row) if row else CompactRange()

    def awaited(self) -> dict[str, Awaited]:
        """What must come out of Kafka again, by origin."""
        rows = self._base.execute("SELECT origin, base, size, root FROM awaited")
        return {row[0]: Awaited(*row) for row in rows}

    def pruned(self) -> dict[str, Pruned]:
        """The newest statement of each log that has one, by origin."""
        rows = self._base.execute("SELECT origin, minimum_index, frontier FROM prunings")
        return {origin: Pruned(origin, index, tuple(_split(frontier))) for origin, index, frontier in rows}

    def root(self, origin: str, size: int) -> bytes | None:
        """The root a log was sealed with at `size`, None when it was not or that is long ago."""
        row = self._base.execute("SELECT root FROM roots WHERE origin = ? AND size = ?", [origin, size]).fetchone()
        return row[0] if row else None

    def pending(self) -> Round | None:
        """The round that was begun and is not done."""
        found = self._kept("pending")
        return Round.from_json(found) if found else None

    @property
    def public_until(self) -> int:
        """The offset on the topic of checkpoints up to which everything is in this state."""
        return int(self._kept("public_until") or 0)

    @property
    def answered_until(self) -> int | None:
        """The next offset to come on the topic of requests; None: none was read yet."""
        found = self._kept("answered_until")
        return None if found is None else int(found)

    def watched(self) -> dict[str, Any]:
        """The state of the completeness watch by topic, without topics of which nothing was kept."""
        kept: dict[str, Any] = {}
        for topic, source, value in self._base.execute("SELECT topic, source, value FROM watched"):
            of_topic = kept.setdefault(topic, {"read": [], "sources": {}})
            if source == _READ:
                of_topic["read"] = json.loads(value)
            else:
                of_topic["sources"][source] = json.loads(value)
        return kept

    def not_whole(self) -> set[str]:
        """The topics whose watch did not begin at their beginning."""
        return set(json.loads(self._kept("not_whole") or "[]"))

    def begin(
        self,
        round_: Round,
        moves: Sequence[tuple[int | None, Standing]],
        answered_until: int = 0,
        watched: Mapping[str, Any] = _NOTHING,
    ) -> None:
        """Keep a round before anything of it is signed. A move is a log's size until now, None for a new log, and
        what it is now. Raises `TamperError` when a log is not at that size.
        """
        with self._transaction():
            for before, now in moves:
                self._move(before, now)
            for said in round_.statements:
                if isinstance(said, Prune):
                    self._prune(said.origin, said.minimum_index, said.frontier)
                else:
                    self._remember(said.origin, said.size, said.root)
            self._keep("pending", round_.to_json())
            self._keep("answered_until", str(answered_until))
            self._keep_watched(watched)

    def complete(self, round_: Round, meta: CompactRange, leaves: Sequence[bytes]) -> None:
        """Keep the meta log's part of the pending round before it is signed: `meta` is the log after it, `leaves`
        the hashes of its notes.
        """
        assert round_.meta is not None
        with self._transaction():
            self._move(round_.first or None, Standing(self._meta_origin, 0, meta))
            self._grow(round_.first, leaves, round_.meta.subtrees)
            self._keep("pending", round_.to_json())

    def done(self, public_until: int) -> None:
        """The pending round is public and archived."""
        with self._transaction():
            self._base.execute("DELETE FROM kept WHERE name = 'pending'")
            self._keep("public_until", str(public_until))

    @contextmanager
    def adopting(self) -> Iterator[Adoption]:
        """One transaction in which the state takes over what is public; whatever is raised undoes it."""
        with self._transaction():
            yield Adoption(self)

    def agree(self, before: int | None, now: Standing, watched: Mapping[str, Any] = _NOTHING) -> None:
        """A log came out of Kafka as it is public: it stands there, and nothing more is awaited."""
        with self._transaction():
            self._move(before, now)
            self._remember(now.origin, now.tree.size, now.tree.root())
            self._base.execute("DELETE FROM awaited WHERE origin = ?", [now.origin])
            self._keep_watched(watched)

    def keep_watched(self, watched: Mapping[str, Any]) -> None:
        """Keep what changed in the completeness watch's state between rounds."""
        with self._transaction():
            self._keep_watched(watched)

    def watch_begins(self, not_whole: Iterable[str]) -> None:
        """Keep which topics are not watched from their beginning."""
        with self._transaction():
            self._keep("not_whole", json.dumps(sorted(not_whole)))

    def _move(self, before: int | None, now: Standing) -> None:
        frontier = b"".join(now.tree.hashes())
        if before is None:
            moved = self._base.execute(
                "INSERT INTO logs VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
                [now.origin, now.base, now.tree.size, frontier],
            ).rowcount
        else:
            moved = self._base.execute(
                "UPDATE logs SET size = ?, frontier = ? WHERE origin = ? AND size = ? AND base = ? AND size < ?",
                [now.tree.size, frontier, now.origin, before, now.base, now.tree.size],
            ).rowcount
        if moved != 1:
            raise TamperError(f"{now.origin}: not at size {before or 0} any more", code="tamper.sealer-state")

    def _grow(self, first: int, leaves: Sequence[bytes], subtrees: Iterable[Subtree]) -> None:
        rows = [(0, number, found) for number, found in enumerate(leaves, first)]
        self._base.executemany("INSERT INTO meta_subtrees VALUES (?, ?, ?)", [*rows, *subtrees])

    def _remember(self, origin: str, size: int, root: bytes) -> None:
        self._base.execute("INSERT OR REPLACE INTO roots VALUES (?, ?, ?)", [origin, size, root])
        self._base.execute(
            "DELETE FROM roots WHERE origin = ?1 AND size < "
            "(SELECT size FROM roots WHERE origin = ?1 ORDER BY size DESC LIMIT 1 OFFSET ?2)",
            [origin, REMEMBERED_ROOTS - 1],
        )

    def _prune(self, origin: str, minimum_index: int, frontier: Iterable[bytes]) -> None:
        self._base.execute(
            "INSERT OR REPLACE INTO prunings VALUES (?, ?, ?)", [origin, minimum_index, b"".join(frontier)]
        )

    def _keep_watched(self, changed: Mapping[str, Any]) -> None:
        for topic, kept in changed.items():
            sources = {_READ: kept["read"], **kept["sources"]}
            rows = [(topic, source, json.dumps(value)) for source, value in sources.items() if value is not None]
            self._base.executemany("INSERT OR REPLACE INTO watched VALUES (?, ?, ?)", rows)
            gone = [(topic, source) for source, value in sources.items() if value is None]
            self._base.executemany("DELETE FROM watched WHERE topic = ? AND source = ?", gone)

    def _keep(self, name: str, value: str) -> None:
        self._base.execute("INSERT OR REPLACE INTO kept VALUES (?, ?)", [name, value])

    def _kept(self, name: str) -> str | None:
        row = self._base.execute("SELECT value FROM kept WHERE name = ?", [name]).fetchone()
        return row[0] if row else None

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        try:
            with self._writing:  # reading goes on during a round and writes as well
                self._base.execute("BEGIN IMMEDIATE")
                try:
                    yield
                except BaseException:
                    self._base.execute("ROLLBACK")
                    raise
                self._base.execute("COMMIT")
        except sqlite3.OperationalError as error:
            raise TransientError(f"{self.path}: {error}", code="transient.sealer-state") from error


class Adoption:
    """Takes over round after round of what is public, within one transaction of the state."""

    def __init__(self, state: State) -> None:
        self._state = state
        self.meta = state.meta()
        self._before = self.meta.size

    def round(self, leaves: Sequence[bytes]) -> bytes:
        """The meta log grew by `leaves`; returns its root then."""
        first = self.meta.size
        subtrees = self.meta.extend(leaves)
        self._state._grow(first, leaves, subtrees)
        return self.meta.root()

    def awaits(self, awaited: Awaited) -> None:
        """A log's newest checkpoint that is public."""
        self._state._base.execute(
            "INSERT OR REPLACE INTO awaited VALUES (?, ?, ?, ?)",
            [awaited.origin, awaited.base, awaited.size, awaited.root],
        )

    def pruned(self, pruned: Pruned) -> None:
        """A statement of retention that is public."""
        self._state._prune(pruned.origin, pruned.minimum_index, pruned.frontier)

    def finish(self, public_until: int, *, pending_done: bool) -> None:
        """The state goes on from `public_until`; a pending round that is public and archived is done."""
        state = self._state
        if self.meta.size > self._before:
            state._move(self._before or None, Standing(state._meta_origin, 0, self.meta))
        state._keep("public_until", str(public_until))
        if pending_done:
            state._base.execute("DELETE FROM kept WHERE name = 'pending'")


@contextmanager
def meta_rows(path: Path) -> Iterator[Any]:
    """Reads rows of the meta log's tree beside the sealer, from any thread: `(level, first, count)` to hashes."""
    base = sqlite3.connect(f"file:{path}?mode=ro", uri=True, check_same_thread=False)

    def read(level: int, first: int, count: int) -> Sequence[bytes]:
        assert level % TILE_HEIGHT == 0
        query = "SELECT hash FROM meta_subtrees WHERE level = ? AND number >= ? AND number < ? ORDER BY number"
        return [row[0] for row in base.execute(query, [level, first, first + count])]

    try:
        yield read
    finally:
        base.close()


def _tree(size: int, frontier: bytes) -> CompactRange:
    return CompactRange.of(size, _split(frontier))


def _split(frontier: bytes) -> list[bytes]:
    return [frontier[at : at + HASH_BYTES] for at in range(0, len(frontier), HASH_BYTES)]
