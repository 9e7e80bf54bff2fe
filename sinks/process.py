"""Decides what the sink as a process is made of; see `lifetime` for how it ends."""

from __future__ import annotations

import asyncio

import structlog
from prometheus_client import start_http_server

from inzage.schemas.settings import Settings
from inzage.sinks.connection import open_clickhouse
from inzage.sinks.intake import ANSWER_MARGIN, Pace
from inzage.sinks.lifetime import live, serve
from inzage.sinks.logs import read_cluster, topics_of
from inzage.sinks.sink import Sink
from inzage.sinks.trail import Trail

_log = structlog.get_logger("inzage.sink")


def run_sink(settings: Settings, *, pace: Pace | None = None, metrics_port: int | None = None) -> int:
    """Keep the trail until SIGTERM or SIGINT; returns the exit code. `metrics_port` on 127.0.0.1.

    Raises `ConfigError`.
    """
    pace = pace or Pace()

    def body() -> None:
        topics = topics_of(settings.controllers)
        client = open_clickhouse(settings.clickhouse, answer_within=pace.insert_within + ANSWER_MARGIN)
        trail = Trail(client, settings.clickhouse.database, pace.insert_within)
        cluster = read_cluster(settings.kafka, topics)
        if metrics_port is not None:
            start_http_server(metrics_port, addr="127.0.0.1")
        asyncio.run(serve(lambda: Sink(settings, trail, cluster, topics, pace)))

    return live(body, _log)
