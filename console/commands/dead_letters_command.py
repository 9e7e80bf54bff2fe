"""`inzage dead-letters`: lists, shows and replays what could not be read."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from inzage.console.consultation import (
    DEFAULT_PURPOSE,
    ActorOption,
    PurposeOption,
    Reader,
    RoleOption,
    controllers_read,
    recorded,
)
from inzage.console.output import EXIT_FINDINGS, Output, OutputOption, say, show_object, show_rows
from inzage.schemas.errors import ConfigError
from inzage.schemas.settings import load_settings

app = typer.Typer(no_args_is_help=True, help="List, show and replay what could not be read.")

_COLUMNS = ("dead_letter_id", "said_at", "reason", "message", "topic", "partition", "offset", "stages")


@app.command("list")
def list_(
    limit: Annotated[int, typer.Option(min=1, help="At most so many lines.")] = 50,
    actor: ActorOption = "",
    purpose: PurposeOption = DEFAULT_PURPOSE,
    role: RoleOption = "",
    output: OutputOption = Output.TABLE,
) -> None:
    """List dead letters, newest first. Exit 1 when there is one.

    Looking is recorded as an event of each controller of the installation, with the rows that are its own.
    """
    from inzage.sinks.reading import open_trail

    settings = load_settings()
    reader, asked = Reader(actor, purpose, role), {"limit": limit}
    with (
        recorded(settings, controllers_read(settings), reader, query="dead_letters", filter=asked) as look,
        open_trail(settings) as trail,
    ):
        found = list(trail.select_named("dead_letters", **asked))
        look.rows.update(row["controller_id"] for row in found)
    if output is Output.TABLE:
        found = [{**row, "dead_letter_id": row["dead_letter_id"][:12]} for row in found]
    show_rows(found, _COLUMNS, output)
    if found:
        raise typer.Exit(EXIT_FINDINGS)


@app.command()
def show(
    identifier: str,
    actor: ActorOption = "",
    purpose: PurposeOption = DEFAULT_PURPOSE,
    role: RoleOption = "",
    output: OutputOption = Output.TABLE,
) -> None:
    """Show one dead letter with its original bytes in hexadecimal; its identifier may be shortened.

    Looking is recorded as an event of its controller; of every controller when it belongs to none of them.
    """
    from inzage.sinks.reading import open_trail
    from inzage.sinks.replay import find

    settings = load_settings()
    reader, asked = Reader(actor, purpose, role), {"identifier": identifier}
    with (
        recorded(settings, controllers_read(settings), reader, query="dead_letter", filter=asked) as look,
        open_trail(settings) as trail,
    ):
        letter = find(trail, identifier)
        if letter.controller_id in look.controllers:
            look.controllers = (letter.controller_id,)
        look.rows.update(dict.fromkeys(look.controllers, 1))
    shown = {name: value.hex() if isinstance(value, bytes) else value for name, value in asdict(letter).items()}
    show_object(shown, output)


@app.command()
def replay(
    identifier: Annotated[str | None, typer.Argument()] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every dead letter.")] = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """Put originals that can be read now back on their topic. Exit 1 when one cannot."""
    from inzage.schemas.registered import configured_schemas
    from inzage.sinks.logs import topics_of
    from inzage.sinks.reading import open_trail
    from inzage.sinks.replay import all_of, find, replayed
    from inzage.sinks.replay import replay as put_back

    if everything == bool(identifier):
        raise ConfigError("name one dead letter, or --all", code="config.arguments")
    settings = load_settings()
    with open_trail(settings) as trail:
        letters = all_of(trail) if everything else iter([find(trail, identifier or "")])
        topics, registry = topics_of(settings.controllers), configured_schemas(settings.schema_registry)
        became = list(put_back(settings.kafka, letters, topics, replayed(trail), registry))
    show_rows(
        [{"dead_letter_id": name, "result": result} for name, result in became],
        ("dead_letter_id", "result"),
        output,
    )
    back = sum(result == "replayed" for _, result in became)
    say(f"{back} of {len(became)} replayed")
    if back < len(became):
        raise typer.Exit(EXIT_FINDINGS)
