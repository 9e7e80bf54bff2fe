"""Keeps a directory to one process: a lock the kernel gives back when its holder ends, however it ends."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from inzage.schemas.errors import ConfigError


class DirectoryLock:
    """Held from construction until `release()` or the end of the process. Children do not inherit it.

    `directory` is created, for this user only, when it is missing. Raises `ConfigError` naming it when
    another process holds it.
    """

    def __init__(self, directory: Path, holder: str) -> None:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._file = os.open(directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(self._file)
            raise ConfigError(
                f"{directory} is in use by another process ({holder})",
                code="config.directory-in-use",
                hint="stop that process or choose another directory",
            ) from error

    def release(self) -> None:
        os.close(self._file)
