"""Keeps the endpoint's command line and its readiness: what a supervisor and the tests need to run it."""

from __future__ import annotations

import sys
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from inzage.deploy.local.child import ChildService
from inzage.deploy.local.clickhouse.access import Access
from inzage.deploy.local.ports import LOOPBACK, free_port


class Endpoint(ChildService):
    """A ClickHouse endpoint on this machine, as a child process; a context manager.

    `port` 0 takes a free one, which then stays for this object. `migrate` False leaves the tables alone.
    """

    name = "clickhouse"

    def __init__(
        self,
        data_dir: Path,
        *,
        port: int = 0,
        access: Access = Access.APPEND_ONLY,
        migrate: bool = True,
        fsync: bool = True,
    ) -> None:
        super().__init__(data_dir)
        self.port = port or free_port()
        self._options = [
            *("--access", access.value),
            "--migrate" if migrate else "--no-migrate",
            "--fsync" if fsync else "--no-fsync",
        ]

    @property
    def host(self) -> str:
        return LOOPBACK

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def command(self) -> list[str]:
        """The program that runs this endpoint in the foreground, for a supervisor."""
        module = [sys.executable, "-m", "inzage.deploy.local.clickhouse"]
        return [*module, "--data", str(self.data_dir), "--port", str(self.port), *self._options]

    def prepare(self) -> list[str]:
        self.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        return self.command

    def ready(self) -> bool:
        connection = HTTPConnection(LOOPBACK, self.port, timeout=1)
        try:
            connection.request("GET", "/ping")
            return connection.getresponse().read() == b"Ok.\n"
        except (OSError, HTTPException):
            return False
        finally:
            connection.close()
