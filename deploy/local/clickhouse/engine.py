"""Keeps the data directory: one embedded ClickHouse, one process, one writer at a time.

It opens read-write for migrations and again with the grants of `Access`. Every call gets its own handle, so
settings and database of one request never reach another. Inserted bytes go to the engine in memory; whatever
it may spill lies below a private directory that is emptied at start.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import chdb

from inzage.deploy.local.clickhouse.access import Access, write_configuration
from inzage.deploy.local.clickhouse.native import empty_block
from inzage.deploy.local.clickhouse.replies import Answer, QueryError
from inzage.deploy.local.clickhouse.statements import Insert, Statement
from inzage.deploy.local.directory import DirectoryLock

Execute = Callable[[str], str]
"""Runs one statement and returns its result as TabSeparated text; raises `QueryError`."""


class Engine:
    """The open data directory. `query` may be called from several threads, `insert` from one at a time.

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
        self._store = data_dir.absolute() / "store"
        _private_temporary_directory(data_dir.absolute() / "tmp")
        if prepare:
            self._open(write_configuration(data_dir.absolute(), Access.EVERYTHING, fsync=fsync))
            prepare(self._execute)
            self._open_handle.close()
        self._open(write_configuration(data_dir.absolute(), access, fsync=fsync))
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
    ) -> Answer:
        """Run a statement that carries no data; raises `QueryError`."""
        with self._handle(settings, database) as handle:
            result = handle.query(text.decode(), default_format, params=dict(parameters))
            body, format_name = result.bytes(), statement.format or default_format
            if statement.reads and format_name == "Native" and not body:
                select = text[: statement.body_end].decode()
                body = empty_block(
                    lambda sql: handle.query(sql, "JSONCompact", params=dict(parameters)), select
                )
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
        self, insert: Insert, data: bytes, *, settings: Mapping[str, str], database: str | None = None
    ) -> Answer:
        """Append `data`, encoded as `insert.format`; it is durable on return. Raises `QueryError`."""
        with self._handle(settings, database) as handle:
            stream = handle.send_insert(insert.head, insert.format)
            try:
                stream.append(data)
                written = stream.finish()
            finally:
                stream.close()
            return Answer(
                b"",
                rows_written=written.rows_written,
                bytes_written=written.bytes_written,
                elapsed=written.elapsed,
            )

    def close(self) -> None:
        self._open_handle.close()
        self._lock.release()

    def _open(self, config: Path) -> None:
        self._connection = f"{self._store}?config-file={config}"
        self._open_handle = chdb.connect(self._connection)  # keeps the engine up between requests

    @contextmanager
    def _handle(self, settings: Mapping[str, str], database: str | None) -> Iterator[Any]:
        handle = chdb.connect(self._connection)
        try:
            if database:
                handle.query(f"USE {_quoted(database, '`')}")
            for name, value in settings.items():
                handle.query(f"SET {_quoted(name, '`')} = {_quoted(value, chr(39))}")
            yield handle
        except (chdb.ChdbError, RuntimeError) as error:
            raise QueryError(str(error)) from error
        finally:
            handle.close()

    def _execute(self, statement: str) -> str:
        with self._handle({}, None) as handle:
            return str(handle.query(statement, "TabSeparated").bytes().decode())


def _private_temporary_directory(directory: Path) -> None:
    """An empty directory for this user only, where the engine puts what it cannot keep in memory."""
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(mode=0o700)
    os.environ["TMPDIR"] = str(directory)


def _quoted(text: str, quote: str) -> str:
    return quote + text.replace("\\", "\\\\").replace(quote, "\\" + quote) + quote
