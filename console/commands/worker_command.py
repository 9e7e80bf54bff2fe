"""`inzage worker`: runs the screening worker in the foreground."""

from __future__ import annotations

import logging
from typing import Annotated, Any

import structlog
import typer

from inzage.schemas.settings import load_settings

app = typer.Typer(help="Run the screening worker.")


@app.command()
def run(
    kafka: Annotated[str | None, typer.Option(help="host:port of the brokers")] = None,
    metrics_port: Annotated[int, typer.Option(help="port of the Prometheus metrics on 127.0.0.1; 0: none")] = 0,
    max_records: Annotated[int, typer.Option(help="records of a batch at most")] = 50_000,
) -> None:
    """Judge events until stopped. Exit 70 asks the supervisor to start it again."""
    from inzage.streams.measures import Measures
    from inzage.streams.transport.settings import BatchSettings
    from inzage.streams.worker import Worker

    _log_as_json()
    settings = load_settings()
    if kafka:
        settings.kafka.bootstrap_servers = kafka
    batch = BatchSettings(max_records=max_records, max_poll_records=max_records, max_bytes=max_records * 800)
    Worker(settings, batch, measures=Measures(metrics_port)).run()


def _log_as_json() -> None:
    """One JSON object a line on stderr; nothing in it is about a person."""
    shared: list[Any] = [structlog.stdlib.add_log_level, structlog.processors.TimeStamper(fmt="iso", utc=True)]
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    for noisy in ("kafka", "aiokafka", "faust", "mode", "sqlglot"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
