"""`inzage up`: keeps broker, ClickHouse endpoint and our processes running on this machine until Ctrl-C."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from inzage.console.output import say, show_text

app = typer.Typer(help="Run broker, ClickHouse endpoint, worker, sink, sealer and reviser on this machine.")

KAFKA_PORT = 9092
CLICKHOUSE_PORT = 8123


@app.command()
def up(
    data: Annotated[Path | None, typer.Option(help="directory of all data, instead of data_dir")] = None,
    kafka: Annotated[str | None, typer.Option(help="host:port of a Kafka that runs already")] = None,
    clickhouse: Annotated[str | None, typer.Option(help="URL of a ClickHouse that runs already")] = None,
    kafka_port: Annotated[int, typer.Option(help="port on 127.0.0.1; 0: any that is free")] = KAFKA_PORT,
    clickhouse_port: Annotated[int, typer.Option(help="port on 127.0.0.1; 0: any that is free")] = CLICKHOUSE_PORT,
) -> None:
    """Run the stack; what dies is started again. Ctrl-C stops all of it, and the data stay."""
    from inzage.console.stack import compose
    from inzage.deploy.local.supervisor import Supervisor
    from inzage.schemas.settings import load_settings

    settings = load_settings(data_dir=data)
    stack = compose(
        settings,
        settings.data_dir.absolute(),
        kafka=kafka,
        clickhouse=clickhouse,
        kafka_port=kafka_port,
        clickhouse_port=clickhouse_port,
    )
    where = stack.settings

    def welcome() -> None:
        show_text(
            "\n[bold]Inzage is up.[/bold]\n"
            f"  Kafka       {where.kafka.bootstrap_servers}\n"
            f"  ClickHouse  {where.clickhouse.url}\n"
            f"  data        {where.data_dir}\n"
            f"  logs        {where.data_dir / 'log'}\n\n"
            "Try, in another terminal:\n"
            f"  export INZAGE_KAFKA__BOOTSTRAP_SERVERS={where.kafka.bootstrap_servers}"
            f" INZAGE_CLICKHOUSE__URL={where.clickhouse.url} INZAGE_DATA_DIR={where.data_dir}\n"
            "  inzage import fhir tests/data/auditevents-r4.ndjson --controller CIGNA\n"
            "  inzage violations\n"
            "  inzage trail status\n\n"
            "Ctrl-C stops it; the data stay."
        )

    Supervisor(stack.services, where.data_dir, say=say).run(on_ready=welcome)
    say("stopped")
