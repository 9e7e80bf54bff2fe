"""Runs the endpoint in the foreground: `python -m inzage.deploy.local.clickhouse --data DIR --port 8123`."""

from __future__ import annotations

import importlib
import importlib.util
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

# The engine and this process agree on one time zone, so that a column without one means UTC everywhere.
os.environ["TZ"] = "UTC"

import typer
import uvicorn

from inzage.deploy.local.clickhouse.access import Access
from inzage.deploy.local.clickhouse.accounts import Accounts
from inzage.deploy.local.clickhouse.app import HttpInterface
from inzage.deploy.local.clickhouse.engine import Engine, Execute
from inzage.deploy.local.ports import LOOPBACK, require_free
from inzage.schemas.errors import InzageError

MIGRATIONS = "inzage.sinks.migrations"
KEEP_ALIVE_SECONDS = 300  # a client that finds its connection closed cannot safely repeat an insert


def main(
    data: Annotated[Path, typer.Option(help="Directory of the tables; created when missing.")],
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1.")] = 8123,
    access: Annotated[Access, typer.Option(help="What users may do.")] = Access.APPEND_ONLY,
    migrate: Annotated[bool, typer.Option(help="Bring the trail's tables up to date first.")] = True,
    fsync: Annotated[bool, typer.Option(help="Acknowledge an insert only when it is on disk.")] = True,
) -> None:
    """Serve ClickHouse's HTTP protocol on 127.0.0.1 until signalled."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        require_free(port, "clickhouse.url")
        prepare = _migrations() if migrate else None
        engine = Engine(data, access=access, prepare=prepare, fsync=fsync)
        accounts = None if access is Access.EVERYTHING else Accounts.of(data)
    except InzageError as error:
        sys.stderr.write(error.diagnostics() + "\n")
        raise typer.Exit(2) from error
    uvicorn.run(
        HttpInterface(engine, accounts).application(),
        host=LOOPBACK,
        port=port,
        log_level="warning",
        access_log=False,  # request lines hold statements and their parameters
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=2,
        http="httptools",  # half a millisecond less a request than in Python, and no bound on a statement in the URL
    )


def _migrations() -> Callable[[Execute], Any] | None:
    """The trail's migrations, None where they are not installed."""
    if importlib.util.find_spec(MIGRATIONS) is None:
        return None
    migrate: Callable[[Execute], Any] = importlib.import_module(MIGRATIONS).migrate
    return migrate


if __name__ == "__main__":
    typer.run(main)
