"""`inzage dead-letters`: lists, shows and replays what could not be read."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from inzage.console.output import EXIT_FINDINGS, Output, OutputOption, say, show_object, show_rows
from inzage.schemas.errors import ConfigError
from inzage.schemas.settings import load_settings

app = typer.Typer(no_args_is_help=True, help="List, show and replay what could not be read.")

_COLUMNS = ("dead_letter_id", "said_at", "reason", "message", "topic", "partition", "offset", "stages")


@app.command("list")
def list_(
    limit: Annotated[int, typer.Option(min=1, help="At most so many lines.")] = 50,
    output: OutputOption = Output.TABLE,
) -> None:
    """List dead letters, newest first. Exit 1 when there is one."""
    from inzage.sinks.reading import open_trail

    with open_trail(load_settings()) as trail:
        found = list(trail.select_named("dead_letters", limit=limit))
    if output is Output.TABLE:
        found = [{**row, "dead_letter_id": row["dead_letter_id"][:12]} for row in found]
    show_rows(found, _COLUMNS, output)
    if found:
        raise typer.Exit(EXIT_FINDINGS)


@app.command()
def show(identifier: str, output: OutputOption = Output.TABLE) -> None:
    """Show one dead letter with its original bytes in hexadecimal; its identifier may be shortened."""
    from inzage.sinks.reading import open_trail
    from inzage.sinks.replay import find

    with open_trail(load_settings()) as trail:
        letter = asdict(find(trail, identifier))
    shown = {name: value.hex() if isinstance(value, bytes) else value for name, value in letter.items()}
    show_object(shown, output)


@app.command()
def replay(
    identifier: Annotated[str | None, typer.Argument()] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every dead letter.")] = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """Put originals that can be read now back on their topic. Exit 1 when one cannot."""
    from inzage.sinks.logs import topics_of
    from inzage.sinks.reading import open_trail
    from inzage.sinks.replay import all_of, find, replayed
    from inzage.sinks.replay import replay as put_back

    if everything == bool(identifier):
        raise ConfigError("name one dead letter, or --all", code="config.arguments")
    settings = load_settings()
    with open_trail(settings) as trail:
        letters = all_of(trail) if everything else iter([find(trail, identifier or "")])
        became = list(put_back(settings.kafka, letters, topics_of(settings.controllers), replayed(trail)))
    show_rows(
        [{"dead_letter_id": name, "result": result} for name, result in became],
        ("dead_letter_id", "result"),
        output,
    )
    back = sum(result == "replayed" for _, result in became)
    say(f"{back} of {len(became)} replayed")
    if back < len(became):
        raise typer.Exit(EXIT_FINDINGS)
