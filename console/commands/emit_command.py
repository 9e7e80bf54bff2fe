"""`inzage emit`: says the facts and events of a file of JSON lines."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID, uuid5

import typer

from inzage.console.output import EXIT_FINDINGS, Output, OutputOption
from inzage.schemas.errors import ContractError

app = typer.Typer(help="Emit facts and events from JSON lines.")

_IDS = UUID("3c1f6d1e-0d0a-5a55-8d52-6e0f4a3f2b77")  # of lines that have no id of their own


@app.command()
def emit(
    file: Annotated[Path, typer.Argument(help="JSON lines of facts and events", exists=True, dir_okay=False)],
    controller: Annotated[str | None, typer.Option(help="controller of lines that name none")] = None,
    source_system: Annotated[str, typer.Option(help="the upstream system of lines that name none")] = "emit",
    pseudonymise: Annotated[
        bool, typer.Option("--pseudonymise", help="persons stand by identifier: put references of the vault")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="validate, send nothing, need no broker")] = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """Emit every line; what does not fit the contract becomes a dead letter with its reason.

    Persons stand in the lines as references already, unless --pseudonymise. Exit 1 when there are dead letters.
    """
    from inzage.console.emission import Emission
    from inzage.console.voices import open_voice
    from inzage.schemas.emitter.persons import pseudonymise_said
    from inzage.schemas.json_face import Said
    from inzage.schemas.json_lines import Line, read_arrivals
    from inzage.schemas.settings import load_settings

    parsed = [_parse(number, line, source_system) for number, line in _lines(file)]
    originals = dict(_lines(file))
    speaks_for = controller or load_settings().controllers[0]  # dead letters need somewhere to go
    with open_voice(speaks_for, source_system, pseudonymise=pseudonymise, dry_run=dry_run) as (voice, vault):
        emission = Emission(voice)

        def read(line: Line) -> list[Said]:
            if line.said is None:
                raise line.error or AssertionError("a line is read or refused")
            return [pseudonymise_said(line.said, vault) if pseudonymise else line.said]

        for line in read_arrivals(parsed, controller_id=controller):
            # with identifiers in it, or words that nobody encrypted, the original does not leave this machine
            original = originals[line.number]
            keep = pseudonymise or _may_reveal(original, line.error)
            emission.line(line.number, None if keep else original, partial(read, line))
    emission.show(output, dry_run=dry_run)
    if emission.refused:
        raise typer.Exit(EXIT_FINDINGS)


def _may_reveal(original: bytes, error: ContractError | None) -> bool:
    """Whether the line has a field of free words, or a word where a term was expected."""
    from inzage.schemas.revealing import names_revealing_field

    return names_revealing_field(original) or (error is not None and error.code == "contract.unknown-symbol")


def _lines(file: Path) -> list[tuple[int, bytes]]:
    from inzage.schemas.errors import ConfigError

    try:
        content = file.read_bytes()
    except OSError as error:
        raise ConfigError(f"{file.name}: cannot be read", code="config.input") from error
    return [(number, line) for number, line in enumerate(content.split(b"\n"), start=1) if line.strip()]


def _parse(number: int, line: bytes, source_system: str) -> tuple[int, str, Any]:
    """The line as an object; without an id it gets one that the same line of the same source gets again."""
    shown = line.decode(errors="replace")
    try:
        content = json.loads(line.decode("utf-8-sig" if number == 1 else "utf-8"))
    except (ValueError, RecursionError):
        return number, shown, ContractError("not JSON", code="contract.not-json")
    if not isinstance(content, dict):
        return number, shown, ContractError("expected an object", code="contract.not-an-object")
    inner = content.get("event", content.get("fact", content))
    if isinstance(inner, dict):
        is_event = "event" in content or "event_type" in inner
        name = "event_id" if is_event else "fact_id"
        own = str(uuid5(_IDS, f"{source_system}/{number}/{shown}"))
        stated = {"source_system": source_system, name: own} | {k: v for k, v in inner.items() if v is not None}
        content = {"event" if is_event else "fact": stated}
    return number, shown, content
