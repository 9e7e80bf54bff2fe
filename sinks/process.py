"""Decides how the sink lives as a process: what it is made of, which signals end it, which exit code says what.

Exit 0 when it was asked to end; 70 for everything it does not understand or cannot get over, after which it is
started again and goes on where the trail ends. `ConfigError` is raised to the caller, who exits 2.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import sys
from collections.abc import Callable

import structlog
from prometheus_client import start_http_server

from inzage.schemas.errors import ConfigError, InzageError
from inzage.schemas.settings import Settings
from inzage.sinks.connection import open_clickhouse
from inzage.sinks.intake import ANSWER_MARGIN, Pace
from inzage.sinks.logs import read_cluster, topics_of
from inzage.sinks.sink import EXIT_UNEXPECTED, Sink
from inzage.sinks.trail import Trail

_log = structlog.get_logger("inzage.sink")


def run_sink(settings: Settings, *, pace: Pace | None = None, metrics_port: int | None = None) -> int:
    """Keep the trail until SIGTERM or SIGINT; returns the exit code. `metrics_port` on 127.0.0.1.

    Raises `ConfigError`.
    """
    pace = pace or Pace()
    _to_stderr()
    # Thousands of small objects live for one block each: looking for cycles among them is half the work.
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)
    try:
        topics = topics_of(settings.controllers)
        client = open_clickhouse(settings.clickhouse, answer_within=pace.insert_within + ANSWER_MARGIN)
        trail = Trail(client, settings.clickhouse.database, pace.insert_within)
        cluster = read_cluster(settings.kafka, topics)
        if metrics_port is not None:
            start_http_server(metrics_port, addr="127.0.0.1")
        asyncio.run(serve(lambda: Sink(settings, trail, cluster, topics, pace)))
    except ConfigError:
        raise
    except InzageError as error:
        _log.error("stopped", code=error.code, why=error.diagnostics())
        return EXIT_UNEXPECTED
    except Exception as error:
        where = error.__traceback__
        while where and where.tb_next:
            where = where.tb_next
        line = f"{where.tb_frame.f_code.co_qualname}:{where.tb_lineno}" if where else ""
        _log.error("stopped", code="unexpected", why=type(error).__name__, where=line)  # its text may quote data
        return EXIT_UNEXPECTED
    return 0


async def serve(make: Callable[[], Sink]) -> None:
    """Run the sink that `make` makes in this loop until SIGTERM or SIGINT."""
    sink = make()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, sink.stop)
    await sink.run()


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
