"""`inzage sealer`: runs the process that seals every log."""

from __future__ import annotations

from typing import Annotated

import typer

from inzage.schemas.settings import KafkaSettings, load_settings

app = typer.Typer(help="Run the sealer of the trail.")


@app.command()
def run(
    kafka: Annotated[str | None, typer.Option(help="Bootstrap servers, instead of kafka.bootstrap_servers.")] = None,
    archive: Annotated[str | None, typer.Option(help="Directory or s3:// URL, instead of sealing.archive.")] = None,
    metrics_port: Annotated[int | None, typer.Option(help="Serve Prometheus metrics on 127.0.0.1.")] = None,
) -> None:
    """Seal until signalled. Exit 70 on what it cannot get over: look at why, then start it again."""
    from inzage.sinks.sealing.process import run_sealer

    settings = load_settings()
    if kafka:
        settings.kafka = KafkaSettings(**{**settings.kafka.model_dump(), "bootstrap_servers": kafka})
    if archive:
        settings.sealing.archive = archive
    raise typer.Exit(run_sealer(settings, metrics_port=metrics_port))
