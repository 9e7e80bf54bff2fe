"""Keeps the data directory: one embedded ClickHouse, one process, one writer at a time.

It is open with every role but the owner's. For migrations, and for each statement of the owner, it is closed and
opened with the owner's alone, while nobody else has a handle. Every call has a handle to itself, told exactly its
role, settings and database, so those of one request never reach another. Inserted bytes, and whatever the engine may
spill, lie below a private directory that is emptied at start.
"""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import chdb

from inzage.deploy.local.clickhouse.access import Access, Rights, write_configuration
from inzage.deploy.local.clickhouse.handles import Handle, ReadyHandles, Terms
from inzage.deploy.local.clickhouse.native import empty_block
from inzage.deploy.local.clickhouse.replies import Answer, QueryError
from inzage.deploy.local.clickhouse.statements import Insert, Statement
from inzage.deploy.local.directory import DirectoryLock
from inzage.sinks.roles import Role

Execute = Callable[[str], str]
"""Runs one statement and returns its result as TabSeparated text; raises `QueryError`."""

OWNER_WAITS = 60.0
"""Seconds in which the statements that run already must end before the owner's may begin."""


class Engine:
    """The open data directory. `query` may be called from several threads, `insert` from one at a time.

    A `role` is taken where access is append-only; None is whatever the engine is open with.
    Raises `ConfigError` when another process has `data_dir` open.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        access: Access = Access.APPEND_ONLY,
        prepare: Callable[[Execute], object] | None = None,
        fsync: bool = True,
    ) -> None:
        self._lock = DirectoryLock(data_dir, "a ClickHouse endpoint owns its data directory")
        self._data_dir = data_dir.absolute()
        self._fsync = fsync
        _private_temporary_directory(self._data_dir / "tmp")
        self._data = self._data_dir / "tmp" / "inserted"
        self._ready = ReadyHandles()
        self._turn = threading.Condition()
        self._handles = 0
        self._owner_waits = False
        everything = access is Access.EVERYTHING
        self._usual = Rights.EVERYTHING if everything else Rights.ROLES
        if prepare:
            self._open(Rights.EVERYTHING if everything else Rights.OWNER)
            prepare(self._execute)
            self._open_handle.close()
        self._open(self._usual)
        self.version, self.timezone = self._execute("SELECT version(), timezone()").strip().split("\t")

    def query(
        self,
        text: bytes,
        statement: Statement,
        *,
        settings: Mapping[str, str],
        parameters: Mapping[str, str],
        database: str | None = None,
        default_format: str = "TabSeparated",
        role: Role | None = None,
    ) -> Answer:
        """Run a statement that carries no data; raises `QueryError`."""
        with self._handle(Terms.of(role, database, settings), again=statement.selects) as handle:
            result = handle.query(text.decode(), default_format, params=dict(parameters))
            body, format_name = result.bytes(), statement.format or default_format
            if statement.reads and format_name == "Native" and not body:
                select = text[: statement.body_end].decode()
                body = empty_block(lambda sql: handle.query(sql, "JSONCompact", params=dict(parameters)), select)
            return Answer(
                body,
                format_name if statement.reads else None,
                rows_read=result.rows_read(),
                bytes_read=result.bytes_read(),
                rows_written=result.rows_written(),
                bytes_written=result.bytes_written(),
                elapsed=result.elapsed(),
            )

    def insert(
        self,
        insert: Insert,
        data: bytes,
        *,
        settings: Mapping[str, str],
        database: str | None = None,
        role: Role | None = None,
    ) -> Answer:
        """Append `data`, encoded as `insert.format`; it is durable on return. Raises `QueryError`.

        The data take the way of a file. What is streamed to the engine (`send_insert`) it says it has written though
        a constraint was violated, a partition too many or the disk full (measured with chDB 4.4).
        """
        try:
            self._data.write_bytes(data)
            with self._handle(Terms.of(role, database, settings)) as handle:
                written = handle.query(insert.of_file(self._data), "Null")
                return Answer(
                    b"",
                    rows_written=written.rows_written(),
                    bytes_written=written.bytes_written(),
                    elapsed=written.elapsed(),
                )
        except OSError as error:
            raise QueryError.of(243, "NOT_ENOUGH_SPACE", f"the data cannot be put aside: {error.strerror}") from error
        finally:
            self._data.unlink(missing_ok=True)

    def close(self) -> None:
        self._ready.drop()
        self._open_handle.close()
        self._lock.release()

    def _open(self, rights: Rights) -> None:
        config = write_configuration(self._data_dir, rights, fsync=self._fsync)
        self._connection = f"{self._data_dir / 'store'}?config-file={config}"
        self._open_handle = chdb.connect(self._connection)  # keeps the engine up between requests

    @contextmanager
    def _handle(self, terms: Terms, *, again: bool = False) -> Iterator[Any]:
        """A handle that was told these terms. What leaves it as it is may have one used before, and used `again`."""
        owned = terms.role is Role.OWNER
        again = again and not owned
        with self._owned() if owned else self._shared(), _in_its_words():
            handle = (self._ready.take(terms) if again else None) or self._set_up(terms)
            try:
                yield handle.engine
            except BaseException:
                handle.engine.close()
                raise
            if again:
                self._ready.put(handle)
            else:
                handle.engine.close()

    def _set_up(self, terms: Terms) -> Handle:
        since, engine = self._ready.now(), chdb.connect(self._connection)
        try:
            if terms.role and terms.role is not Role.OWNER:
                engine.query(f"SET ROLE {terms.role.name_in()}")
            if terms.database:
                engine.query(f"USE {_quoted(terms.database, '`')}")
            if terms.settings:
                said = (f"{_quoted(name, '`')} = {_quoted(value, chr(39))}" for name, value in terms.settings)
                engine.query(f"SET {', '.join(said)}")
        except BaseException:
            engine.close()
            raise
        return Handle(engine, terms, since)

    @contextmanager
    def _shared(self) -> Iterator[None]:
        """While the engine is open as usual, beside others."""
        with self._turn:
            self._turn.wait_for(lambda: not self._owner_waits)
            self._handles += 1
        try:
            yield
        finally:
            with self._turn:
                self._handles -= 1
                self._turn.notify_all()

    @contextmanager
    def _owned(self) -> Iterator[None]:
        """While the engine is open with the owner's rights, alone; raises `QueryError` when others do not end."""
        with self._turn:
            self._owner_waits = True
            try:
                if not self._turn.wait_for(lambda: not self._handles, OWNER_WAITS):
                    raise QueryError.of(159, "TIMEOUT_EXCEEDED", "Other statements did not end in time")
                self._ready.drop()
                self._open_handle.close()
                try:
                    self._open(Rights.OWNER)
                    yield
                finally:
                    self._open_handle.close()
                    self._open(self._usual)
            finally:
                self._owner_waits = False
                self._turn.notify_all()

    def _execute(self, statement: str) -> str:
        with self._handle(Terms.of(None, None, {})) as handle:
            return str(handle.query(statement, "TabSeparated").bytes().decode())


@contextmanager
def _in_its_words() -> Iterator[None]:
    """What the engine refuses, as `QueryError`."""
    try:
        yield
    except (chdb.ChdbError, RuntimeError) as error:
        raise QueryError(str(error)) from error
    except UnicodeDecodeError as error:  # the engine's words quote bytes that are no text
        raise QueryError(error.object.decode(errors="replace")) from error


def _private_temporary_directory(directory: Path) -> None:
    """An empty directory for this user only, where the engine puts what it cannot keep in memory."""
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(mode=0o700)
    os.environ["TMPDIR"] = str(directory)


def _quoted(text: str, quote: str) -> str:
    return quote + text.replace("\\", "\\\\").replace(quote, "\\" + quote) + quote
