"""`inzage reviser`: runs the process that judges again what late facts and the clock change."""

from __future__ import annotations

from typing import Annotated

import typer

from inzage.console.process_log import log_as_json
from inzage.schemas.settings import load_settings

app = typer.Typer(help="Run the reviser: late facts, deadlines, scheduled checks.")


@app.command()
def run(
    kafka: Annotated[str | None, typer.Option(help="Bootstrap servers, instead of kafka.bootstrap_servers.")] = None,
    clickhouse: Annotated[str | None, typer.Option(help="Address, instead of clickhouse.url.")] = None,
    every: Annotated[float, typer.Option(min=0.1, help="Seconds between two looks at the clock.")] = 60.0,
) -> None:
    """Judge again until stopped. Exit 70 asks the supervisor to start it again."""
    from inzage.console.revising.reviser import Reviser

    log_as_json()
    settings = load_settings()
    if kafka:
        settings.kafka.bootstrap_servers = kafka
    if clickhouse:
        settings.clickhouse.url = clickhouse
    Reviser(settings, every=every).run()
