"""`inzage worker`: runs the screening worker in the foreground."""

from __future__ import annotations

from typing import Annotated

import typer

from inzage.console.process_log import log_as_json
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

    log_as_json()
    settings = load_settings()
    if kafka:
        settings.kafka.bootstrap_servers = kafka
    batch = BatchSettings(max_records=max_records, max_poll_records=max_records, max_bytes=max_records * 800)
    Worker(settings, batch, measures=Measures(metrics_port)).run()
