"""Keeps one service as a child of this process: started, waited for, stopped, and again on the same data."""

from __future__ import annotations

import subprocess
import time
from abc import ABC, abstractmethod
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from inzage.deploy.local.processes import STOP_WITHIN, start_child, stop_child
from inzage.schemas.errors import TransientError

READY_WITHIN = timedelta(seconds=60)


class ChildService(ABC):
    """A service that runs while the context is open. Enter it in a thread that lives as long."""

    name: str

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir.absolute()
        self._process: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def prepare(self) -> list[str]:
        """Make ready what the service needs and return the command that runs it in the foreground."""

    @abstractmethod
    def ready(self) -> bool:
        """Whether the service answers now."""

    @property
    def pid(self) -> int | None:
        """The running service's process id, None when it is not running."""
        return self._process.pid if self._process and self._process.poll() is None else None

    @property
    def output(self) -> Path:
        """What the service writes to stdout and stderr."""
        return self.data_dir / f"{self.name}.out"

    def start(self) -> None:
        """Start the service; does not wait for it."""
        self._process = start_child(self.prepare(), output=self.output)

    def stop(self, within: timedelta = STOP_WITHIN) -> None:
        """End the service: SIGTERM, then SIGKILL when `within` has passed."""
        if self._process:
            stop_child(self._process, within=within)
            self._process = None

    def wait_ready(self, timeout: timedelta = READY_WITHIN) -> None:
        """Return when the service answers; raises `TransientError` when it ends or does not in time."""
        give_up = time.monotonic() + timeout.total_seconds()
        while time.monotonic() < give_up:
            if self._process and self._process.poll() is not None:
                raise TransientError(
                    f"{self.name} ended with exit code {self._process.returncode}",
                    hint=f"its last words are in {self.output}",
                )
            if self.ready():
                return
            time.sleep(0.05)
        raise TransientError(f"{self.name} did not answer within {timeout.total_seconds():.0f} s")

    def __enter__(self) -> Self:
        self.start()
        try:
            self.wait_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
