"""`inzage import`: brings in events from other formats."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from inzage.console.output import EXIT_FINDINGS, Output, OutputOption

app = typer.Typer(help="Import events from other formats.", no_args_is_help=True)


@app.callback()
def _formats() -> None:
    """Import events from other formats."""


@app.command()
def fhir(
    file: Annotated[Path, typer.Argument(help="NDJSON, JSON array or Bundle", exists=True, dir_okay=False)],
    mapping: Annotated[
        Path | None, typer.Option(help="what FHIR cannot say, as YAML", exists=True, dir_okay=False)
    ] = None,
    controller: Annotated[str | None, typer.Option(help="controller, if the mapping names none")] = None,
    source_system: Annotated[str | None, typer.Option(help="importing system, if the mapping names none")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="convert, send nothing, need no broker")] = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """Import FHIR AuditEvents, R4 and R5; each resource becomes an event or a dead letter with its reason.

    Exit 1 when there are dead letters.
    """
    from inzage.console.emission import Emission
    from inzage.console.voices import open_voice
    from inzage.schemas.emitter.reader import Reader
    from inzage.schemas.errors import ConfigError
    from inzage.schemas.fhir.activity import events_of
    from inzage.schemas.fhir.files import Found, resources
    from inzage.schemas.fhir.mapping import FhirMapping, read_mapping
    from inzage.schemas.json_face import Said
    from inzage.schemas.settings import load_settings

    known = read_mapping(mapping) if mapping else FhirMapping()
    served = load_settings().controllers
    chosen = controller or known.controller_id or (served[0] if dry_run or len(served) == 1 else None)
    if chosen is None:
        raise ConfigError(
            "--controller or controller_id in the mapping: a controller is needed",
            hint=f"served are {', '.join(served)}; a dry run takes the first",
        )
    known = known.model_copy(update={"controller_id": chosen})
    system = source_system or known.source_system or "fhir"
    try:
        content = file.read_bytes()
    except OSError as error:
        raise ConfigError(f"{file.name}: cannot be read", code="config.input") from error
    with open_voice(chosen, system, pseudonymise=True, dry_run=dry_run) as (voice, vault):
        emission = Emission(voice)
        reader = Reader(chosen, system, vault)

        def read(found: Found) -> list[Said]:
            if found.resource is None:
                raise found.error or AssertionError("a resource is found or refused")
            events = events_of(found.resource, known, system)
            return [reader.read({"event": event}, pseudonymised=False, strict=False) for event in events]

        for found in resources(content):
            # the original holds identifiers of persons, so it does not leave this machine
            emission.line(found.number, None, partial(read, found))
    emission.show(output, dry_run=dry_run)
    if emission.refused:
        raise typer.Exit(EXIT_FINDINGS)
