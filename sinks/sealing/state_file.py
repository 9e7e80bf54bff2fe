"""Keeps the file of the sealer's state: its tables and their version, and that one process at a time has it."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from pathlib import Path

from inzage.schemas.errors import ConfigError

VERSION = 1
NAME = "state.sqlite"

_TABLES = """
CREATE TABLE logs (origin TEXT PRIMARY KEY, base INTEGER NOT NULL, size INTEGER NOT NULL, frontier BLOB NOT NULL)
    WITHOUT ROWID, STRICT;
CREATE TABLE roots (origin TEXT, size INTEGER, root BLOB NOT NULL, PRIMARY KEY (origin, size)) WITHOUT ROWID, STRICT;
CREATE TABLE awaited (origin TEXT PRIMARY KEY, base INTEGER NOT NULL, size INTEGER NOT NULL, root BLOB NOT NULL)
    WITHOUT ROWID, STRICT;
CREATE TABLE prunings (origin TEXT PRIMARY KEY, minimum_index INTEGER NOT NULL, frontier BLOB NOT NULL)
    WITHOUT ROWID, STRICT;
CREATE TABLE meta_subtrees (level INTEGER, number INTEGER, hash BLOB NOT NULL, PRIMARY KEY (level, number))
    WITHOUT ROWID, STRICT;
CREATE TABLE watched (topic TEXT, source TEXT, value TEXT NOT NULL, PRIMARY KEY (topic, source))
    WITHOUT ROWID, STRICT;
CREATE TABLE kept (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID, STRICT;
"""


class StateFile:
    """The open file in `directory`, made when it is not there: durable at each commit, readable beside its writer.

    Raises `ConfigError` when another process has it, or another version made it.
    """

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.path = directory / NAME
        self._lock = _lock(directory)
        self.base = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
        try:
            self._prepare()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        self.base.close()
        os.close(self._lock)

    def _prepare(self) -> None:
        self.path.chmod(0o600)
        self.base.execute("PRAGMA journal_mode = WAL")
        self.base.execute("PRAGMA synchronous = FULL")
        version = self.base.execute("PRAGMA user_version").fetchone()[0]
        if version == 0:
            self.base.executescript(f"BEGIN IMMEDIATE;{_TABLES}PRAGMA user_version = {VERSION};COMMIT")
        elif version != VERSION:
            raise ConfigError(f"{self.path}: version {version}, this sealer knows {VERSION}", code="config.sealer")


def _lock(directory: Path) -> int:
    file = os.open(directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(file)
        raise ConfigError(
            f"{directory} is in use by another sealer", code="config.directory-in-use", hint="stop that process"
        ) from error
    return file
