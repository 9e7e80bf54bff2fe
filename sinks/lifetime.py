"""Decides how a process of this room lives: its log lines, and which exit code says what.

Exit 0 when it was asked to end; 70 for everything it does not understand or cannot get over, after which it is
started again. `ConfigError` is raised to the caller, who exits 2.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import sys
from collections.abc import Callable
from typing import Any, Protocol

import structlog

from inzage.schemas.errors import ConfigError, InzageError

EXIT_UNEXPECTED = 70  # sysexits.h, EX_SOFTWARE


class Lives(Protocol):
    """What `serve` runs."""

    async def run(self) -> None: ...

    def stop(self) -> None: ...


def live(body: Callable[[], None], log: Any) -> int:
    """Run `body`, which may log to `log`, and return the exit code; raises `ConfigError`."""
    _to_stderr()
    # Thousands of small objects live for one batch each: looking for cycles among them is half the work.
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)
    try:
        body()
    except ConfigError:
        raise
    except InzageError as error:
        log.error("stopped", code=error.code, why=error.diagnostics())
        return EXIT_UNEXPECTED
    except Exception as error:
        where = error.__traceback__
        while where and where.tb_next:
            where = where.tb_next
        line = f"{where.tb_frame.f_code.co_qualname}:{where.tb_lineno}" if where else ""
        log.error("stopped", code="unexpected", why=type(error).__name__, where=line)  # its text may quote data
        return EXIT_UNEXPECTED
    return 0


async def serve(make: Callable[[], Lives]) -> None:
    """Run what `make` makes in this loop until SIGTERM or SIGINT."""
    made = make()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, made.stop)
    await made.run()


def _to_stderr() -> None:
    """One JSON object per line on stderr; stdout is for data."""
    logging.basicConfig(level=logging.WARNING)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
