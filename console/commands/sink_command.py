"""`inzage sink`: runs the process that keeps the trail."""

from __future__ import annotations

from typing import Annotated

import typer

from inzage.schemas.settings import ClickHouseSettings, KafkaSettings, load_settings

app = typer.Typer(help="Run the trail sink.")


@app.command()
def run(
    kafka: Annotated[str | None, typer.Option(help="Bootstrap servers, instead of kafka.bootstrap_servers.")] = None,
    clickhouse: Annotated[str | None, typer.Option(help="Address, instead of clickhouse.url.")] = None,
    metrics_port: Annotated[int | None, typer.Option(help="Serve Prometheus metrics on 127.0.0.1.")] = None,
) -> None:
    """Keep the trail until signalled. Exit 70 on what it cannot get over: start it again."""
    from inzage.deploy.local.clickhouse.accounts import account_of
    from inzage.sinks.process import run_sink
    from inzage.sinks.roles import Role

    settings = load_settings()
    if kafka:
        settings.kafka = KafkaSettings(**{**settings.kafka.model_dump(), "bootstrap_servers": kafka})
    if clickhouse:
        settings.clickhouse = ClickHouseSettings(**{**settings.clickhouse.model_dump(), "url": clickhouse})
    settings.clickhouse = account_of(settings, Role.SINK)
    raise typer.Exit(run_sink(settings, metrics_port=metrics_port))
