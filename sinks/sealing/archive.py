"""Keeps each round once more, outside Kafka and ClickHouse: objects that are created and never written again.

An object is there whole or not at all. One that is there already must hold the same bytes: a round is archived again
when nobody knows whether it was.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from inzage.schemas.errors import ConfigError, TamperError, TransientError

BUCKET = "s3://"


class Archive(Protocol):
    """Where rounds are archived. Names are `/`-separated and end in `.json`."""

    def put(self, name: str, content: bytes) -> None:
        """Create an object; returns when it will survive. Raises `TamperError` when it is there with other bytes,
        `TransientError` when it cannot be created now.
        """
        ...

    def names(self) -> Iterator[str]:
        """The names of all objects, in order."""
        ...

    def get(self, name: str) -> bytes:
        """The bytes of an object; raises `TransientError` when it cannot be read."""
        ...


def open_archive(where: str | None, data_dir: Path) -> Archive:
    """The archive that `sealing.archive` names: a directory, `data_dir/archive` by default, or `s3://bucket/prefix`.

    Raises `ConfigError`.
    """
    if where is not None and is_bucket(where):
        try:
            from inzage.sinks.sealing.bucket import Bucket
        except ImportError as error:
            raise ConfigError("sealing.archive: an s3:// archive needs inzage[s3]", code="config.archive") from error
        return Bucket(where)
    return Directory(Path(where) if where is not None else data_dir / "archive")


def is_bucket(where: str) -> bool:
    """Whether an archive is a bucket and no directory."""
    return where.startswith(BUCKET)


class Directory:
    """An archive in a directory. Objects are files that nobody may write, once they are there."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def put(self, name: str, content: bytes) -> None:
        path = self._root / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
            try:
                _write(draft, content)
                os.link(draft, path)  # refuses what is there already
            except FileExistsError:
                if path.read_bytes() != content:
                    raise TamperError(f"archive: {name} holds another round", code="tamper.archive") from None
            finally:
                draft.unlink(missing_ok=True)
            self._sync(path.parent)
        except OSError as error:
            text = f"archive: {name} cannot be written: {error.strerror or type(error).__name__}"
            raise TransientError(text, code="transient.archive") from error

    def names(self) -> Iterator[str]:
        for folder, folders, files in os.walk(self._root):
            folders.sort()
            for file in sorted(files):
                if file.endswith(".json") and not file.startswith("."):
                    yield (Path(folder) / file).relative_to(self._root).as_posix()

    def get(self, name: str) -> bytes:
        try:
            return (self._root / name).read_bytes()
        except OSError as error:
            raise TransientError(f"archive: {name} cannot be read", code="transient.archive") from error

    def _sync(self, folder: Path) -> None:
        """Make the entries of `folder`, and of those above it within the archive, survive."""
        while True:
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            if folder == self._root:
                return
            folder = folder.parent


def _write(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o444)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
