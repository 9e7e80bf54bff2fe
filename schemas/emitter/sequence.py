"""Numbers what a source says, without gaps, so that an event lost on its way to the trail shows.

The numbers of one instance and topic start at 1 and rise by one. A new process is a new instance, unless a store
keeps its identity and its numbers. What is guaranteed: a number is never given to two messages, and a message
that was handed over has the next one. A number that never arrives is a message that was handed over and lost, for
example in the buffer of a process that was killed. The store survives the death of the process; it is not synced
to disk at each number, so it does not survive the death of the machine: give the instance a new name after one.
"""

from __future__ import annotations

import fcntl
import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from inzage.schemas.emitter.identity import new_id
from inzage.schemas.errors import ConfigError


class SourceSequence:
    """The numbers of one source: `instance` names the process, or what its store says."""

    def __init__(self, store: Path | None = None) -> None:
        self._lock = threading.Lock()
        self._store = _SequenceStore(store) if store else None
        kept = self._store.read() if self._store else None
        self.instance: str = kept["instance"] if kept else new_id()
        self._last: dict[str, int] = kept["last"] if kept else {}

    @contextmanager
    def next(self, topic: str) -> Iterator[tuple[str, int]]:
        """Instance and number for a message on `topic`; taken back when the block raises.

        Only one block runs at a time, so numbers and messages stand in the same order.
        """
        with self._lock:
            last = self._last.get(topic, 0)
            self._keep(topic, last + 1)
            try:
                yield instance_on(self.instance, topic), last + 1
            except BaseException:
                self._keep(topic, last)
                raise

    def last(self, topic: str, *, within: float = -1) -> tuple[str, int] | None:
        """Instance and the last number handed over for `topic`, 0 for none.

        None when no message could be waited for `within` seconds: one under way may still be taken back. Negative
        waits as long as it takes.
        """
        if not self._lock.acquire(timeout=within):
            return None
        try:
            return instance_on(self.instance, topic), self._last.get(topic, 0)
        finally:
            self._lock.release()

    def close(self) -> None:
        if self._store:
            self._store.close()

    def _keep(self, topic: str, number: int) -> None:
        self._last[topic] = number
        if self._store:
            self._store.write({"instance": self.instance, "last": self._last})


def instance_on(instance: str, topic: str) -> str:
    """The name of an instance as the source of `topic`: the numbers under it begin at 1 and rise by one."""
    return f"{instance}/{topic}"


def begins_at_one(source_instance: str, topic: str) -> bool:
    """Whether the numbers of `source_instance` are an emitter's: a source that numbers itself may begin anywhere."""
    return source_instance.endswith(f"/{topic}")


class _SequenceStore:
    """A small file that one process at a time holds; written before a message is handed over."""

    _SIZE = 4096

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._name = path.name
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._descriptor)
            raise ConfigError(f"{path.name}: another process numbers from it", code="config.sequence") from error

    def read(self) -> dict[str, Any] | None:
        text = os.pread(self._descriptor, self._SIZE, 0).rstrip()
        if not text:
            return None
        try:
            kept = json.loads(text)
            return {"instance": str(kept["instance"]), "last": {str(k): int(v) for k, v in kept["last"].items()}}
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            self.close()
            raise ConfigError(f"{self._name}: not a sequence store", code="config.sequence") from error

    def write(self, kept: dict[str, Any]) -> None:
        text = json.dumps(kept).encode()
        if len(text) > self._SIZE:
            raise ConfigError(f"{self._name}: too many topics for one store", code="config.sequence")
        os.pwrite(self._descriptor, text.ljust(self._SIZE), 0)  # one page: whole or not at all

    def close(self) -> None:
        os.close(self._descriptor)
