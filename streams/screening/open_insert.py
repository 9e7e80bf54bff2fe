"""Keeps one INSERT open, so that ClickHouse analyses the policies once and not once a batch.

An INSERT through which blocks come one by one is the prepared statement that the engine does not have: each block is
computed and stands in the table as soon as it came, and a joinGet in it sees what was written before. The engine does
not say when a block is through, so the table is asked for its number of rows; nor does it say that a block failed:
an INSERT that failed takes no more, and nothing but the rows that are missing tells (measured with chDB 4.4).
docs/adr/0010-an-insert-that-stays-open.md.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

_SOON = 0.002  # seconds between two looks
_A_BLOCK, _A_ROW = 0.05, 0.000_01  # seconds a block and a row are believed to take until some were seen
_SOONER = 0.7  # of what a row took, when the first look came too late to tell how long it did
_SLOWER = 20  # times what was expected, after which a block is taken for failed


class OpenInsert:
    """An INSERT into a table that keeps what it is given until it is emptied, one block in it at a time.

    `connect` opens a connection of its own, since one with an open INSERT takes no other statement; `held` says how
    many rows the table holds. While it is open nobody can TRUNCATE a table that it reads: close it before.
    """

    def __init__(self, insert: str, connect: Callable[[], Any], held: Callable[[], int]) -> None:
        self._insert, self._connect, self._held = insert, connect, held
        self._connection: Any = None
        self._stream: Any = None
        self._a_row = _A_ROW
        self._seen = False
        """Whether it is known what a row takes."""

    def feed(self, block: bytes, rows: int) -> bool:
        """Put a block in Native format into the empty table; False when it did not all arrive, and what did must go.

        Raises `RuntimeError` when the INSERT cannot be opened.
        """
        if self._stream is None:
            self._connection = self._connect()
            self._stream = self._connection.send_insert(self._insert, "Native")
        begun = time.monotonic()
        try:
            self._stream.append(block)
        except RuntimeError:
            self.close()
            return False
        if not self._arrived(begun, rows):
            self.close()  # waits for what is still under way
            return self._held() == rows
        return True

    def _arrived(self, begun: float, rows: int) -> bool:
        expected = _A_BLOCK + max(self._a_row, 0) * rows
        time.sleep(0.85 * expected if self._seen and rows > 1_000 else _SOON)
        looks = 0
        while self._held() != rows:
            waited = time.monotonic() - begun
            if waited > _SLOWER * expected:
                return False
            looks += 1
            time.sleep(max(_SOON, waited / 12))  # a look costs milliseconds itself
        if rows > 1_000:
            self._learn((time.monotonic() - begun - _A_BLOCK) / rows, late=not looks)
        return True

    def _learn(self, a_row: float, *, late: bool) -> None:
        if not self._seen:
            self._a_row, self._seen = a_row, True
        elif late:
            self._a_row *= _SOONER
        else:
            self._a_row += 0.5 * (a_row - self._a_row)

    def close(self) -> None:
        """End the INSERT; what came through stays."""
        if self._stream is not None:
            with suppress(RuntimeError):
                self._stream.finish()
            self._stream.close()
            self._connection.close()
        self._stream = self._connection = None
