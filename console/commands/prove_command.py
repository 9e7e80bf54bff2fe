"""`inzage prove`: writes the proof of one event, fact or verdict to a file that anybody can check."""

from __future__ import annotations

import sys
from pathlib import Path
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
from inzage.console.output import EXIT_FINDINGS, say, stderr
from inzage.schemas.errors import ConfigError, TamperError
from inzage.schemas.settings import load_settings

app = typer.Typer(help="Write the proof of one event to a file.")


@app.command()
def prove(
    identifier: Annotated[str, typer.Argument(metavar="EVENT_ID", help="event_id, fact_id or verdict_id")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="file to write; stdout when not stated")
    ] = None,
    at: Annotated[
        int | None, typer.Option(min=1, help="size of the meta log to prove in, instead of the best one")
    ] = None,
    actor: ActorOption = "",
    purpose: PurposeOption = DEFAULT_PURPOSE,
    role: RoleOption = "",
) -> None:
    """Prove that a record is in the sealed trail. Exit 1 when it is not sealed yet, or contradicts what was sealed.

    The file holds the record whole: hand it only to whom the record may be shown. `inzage check-proof` checks it.
    Looking is recorded as an event of the record's controller, before anything is written.
    """
    from inzage.sinks.proof.prove import NotSealedError
    from inzage.sinks.proof.prove import prove as prove_record
    from inzage.sinks.reading import open_trail

    settings, reader = load_settings(), Reader(actor, purpose, role)
    asked = {"identifier": identifier, "at": at}
    try:
        with (
            recorded(settings, controllers_read(settings), reader, query="prove", filter=asked) as look,
            open_trail(settings) as trail,
        ):
            proven = prove_record(trail, identifier, at=at)
            whose = proven.origin.split("/")[1].upper()
            look.controllers = tuple(name for name in look.controllers if name.upper() == whose) or look.controllers
            look.rows.update(look.controllers)
    except (NotSealedError, TamperError) as error:
        stderr.print(f"[bold red]no proof[/bold red] {error.code}: {error.diagnostics()}", soft_wrap=True)
        raise typer.Exit(EXIT_FINDINGS) from error
    if output is None:
        sys.stdout.write(str(proven.file))
    else:
        _write(output, str(proven.file))
    log, meta = proven.file.record.checkpoint, proven.file.checkpoint.checkpoint
    say(f"index {proven.index} of {proven.origin}, in its checkpoint of {log.size} and the meta log's of {meta.size}")
    if proven.file.schema is None:
        say("the schema is not in the proof: nobody stated it on the topic of schemas, or it is not sealed yet")
    if proven.said > 1:
        say(f"the trail holds {proven.said} records with this identifier; the first one said is proven")


def _write(output: Path, text: str) -> None:
    try:
        output.write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        raise ConfigError(f"{output}: cannot be written: {error.strerror}", code="config.output") from error
