"""Keeps the embedded ClickHouse of this process: where its files are, how it is asked, and what it may do.

After set-up `restrict()` leaves it no more than INSERT, SELECT, TRUNCATE and OPTIMIZE on the tables of the screening.
That is the second guard: it refuses table functions and DDL, but not the scalar `file()`, so the first one,
predicate.py, must hold (docs/adr/0005-guards-around-predicates.md).
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from importlib.resources import files
from pathlib import Path
from typing import Any, cast

import chdb

from inzage.schemas.errors import InzageError
from inzage.streams.screening.open_insert import OpenInsert

_MOST_ROWS = 10_000_000  # more than any batch
_MOST_OPEN = 6  # INSERTs; each holds the columns of its last block
_ABOUT_DATA = (
    *("INCORRECT_DATA", "AVRO", "Avro", "avro", "CANNOT_", "ATTEMPT_TO_READ", "EOF"),
    *("ILLEGAL_DIVISION", "DECIMAL_OVERFLOW", "OUT_OF_BOUND", "OUT_OF_RANGE", "SIZES_OF_ARRAYS", "TOO_LARGE_ARRAY"),
)
"""What an error names that data led to: they cannot be decoded, or an expression has no value for what they say."""


class Embedded:
    """One ClickHouse in this process; there can be only one."""

    def __init__(self) -> None:
        memory = Path("/dev/shm")  # noqa: S108  # a private folder is made in it: batches never touch a disk
        self._folder = Path(tempfile.mkdtemp(prefix="inzage-", dir=memory if memory.is_dir() else None))
        self._folder.chmod(0o700)
        self._file = self._folder / "data-to-insert"
        self._owner = os.getpid()
        self._open: dict[tuple[str, str], OpenInsert] = {}
        """By table and statement, the one that was asked for last at the end."""
        self._place = f"{self._folder}/data"
        atexit.register(self.close)
        self._connection: Any = self.connected()

    def close(self) -> None:
        """Close it and remove what it kept; only the process that opened it does."""
        if self._owner == os.getpid():
            self.close_inserts()
            self._connection.close()
            shutil.rmtree(self._folder, ignore_errors=True)

    def restrict(self) -> None:
        """Keep INSERT, SELECT, TRUNCATE and OPTIMIZE on the tables of the screening, and nothing else."""
        self.close_inserts()
        self._connection.close()
        users = files("inzage.streams.screening").joinpath("users.xml").read_text(encoding="utf-8")
        (self._folder / "users.xml").write_text(users, encoding="utf-8")
        config = f"<clickhouse><users_config>{self._folder}/users.xml</users_config></clickhouse>"
        (self._folder / "config.xml").write_text(config, encoding="utf-8")
        self._place = f"{self._folder}/data?config-file={self._folder}/config.xml"
        self._connection = self.connected()

    def connected(self) -> Any:
        """A connection with one thread, and no compilation of expressions: a batch is too short for either to pay.

        UTC whatever the machine's zone: a verdict must not depend on where it was made. A block is one block from
        beginning to end: nothing waits for more rows, and nothing is cut.
        """
        connection = chdb.connect(self._place)
        connection.query(
            "SET max_threads = 1, max_insert_threads = 1, compile_expressions = 0, "
            "input_format_parallel_parsing = 0, input_format_avro_allow_missing_fields = 1, "
            f"session_timezone = 'UTC', max_block_size = {_MOST_ROWS}, max_insert_block_size = {_MOST_ROWS}, "
            "min_insert_block_size_rows = 0, min_insert_block_size_bytes = 0"
        )
        return connection

    def query(self, sql: str, form: str = "Null") -> bytes:
        """What a statement answers, in a format; raises `RuntimeError` with ClickHouse's words."""
        return cast("bytes", self._connection.query(sql, form).bytes())

    def insert(self, insert: str, form: str, data: bytes) -> bool:
        """Run an INSERT of `data`; False when they cannot be read.

        Only what goes wrong in reading is told: when computing a column fails, rows are missing and that is all.
        Raises `InzageError` when it is not the data's fault.
        """
        stream = self._connection.send_insert(insert, form)
        try:
            stream.append(data)
            stream.finish()
        except RuntimeError as error:
            return _on_account_of_data(error)
        finally:
            stream.close()
        return True

    def insert_file(self, insert: str, form: str, data: bytes) -> bool:
        """The same by way of a file, slower; False whatever it is that fails on the data."""
        try:
            self._file.write_bytes(data)
            self.query(f"{insert} FROM INFILE '{self._file}' FORMAT {form}")
        except RuntimeError as error:
            return _on_account_of_data(error)
        finally:
            self._file.unlink(missing_ok=True)  # it is about persons, and a process that is killed leaves its folder
        return True

    def open_insert(self, table: str, insert: str) -> OpenInsert:
        """The INSERT into a table that stays open; the one that was not used for longest is closed for it."""

        def held() -> int:
            return int(self.query(f"SELECT count() FROM {table}", "TSV"))

        one = self._open.pop((table, insert), None) or OpenInsert(insert, self.connected, held)
        while len(self._open) >= _MOST_OPEN:
            self._open.pop(next(iter(self._open))).close()
        self._open[table, insert] = one
        return one

    def close_inserts(self, table: str = "") -> None:
        """End the INSERTs that are open, all of them or those into a table."""
        for key in [key for key in self._open if table in ("", key[0])]:
            self._open.pop(key).close()


def _on_account_of_data(error: RuntimeError) -> bool:
    """False, as an answer; raises `InzageError` when ClickHouse failed for another reason."""
    text = str(error)
    if not any(word in text for word in _ABOUT_DATA):
        raise InzageError(f"the engine failed: {first_line(error)}", code="engine") from None
    return False


def first_line(error: Exception) -> str:
    """What ClickHouse says in one line."""
    return str(error).split("\n")[0].removeprefix("Code: ")[:300]
