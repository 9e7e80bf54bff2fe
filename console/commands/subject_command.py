"""`inzage subject`: shows, exports and erases what is held about one person."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from inzage.console.output import EXIT_FINDINGS, Output, OutputOption, say, show_object, show_rows
from inzage.schemas.errors import ConfigError
from inzage.schemas.settings import Settings, load_settings

if TYPE_CHECKING:
    from inzage.schemas.emitter import SqlVault

app = typer.Typer(no_args_is_help=True, help="Show, export and erase what is held about one person.")

IdentifierArgument = Annotated[str | None, typer.Argument(help="the person's identifier, as sources say it")]
ReferenceOption = Annotated[str | None, typer.Option(help="the person's reference, instead of the identifier")]
ControllersOption = Annotated[
    list[str] | None, typer.Option("--controller", help="only what these hold (default: all that are served)")
]

_NOBODY = {"state": "UNKNOWN", "reason": "nobody is known by that: never was, or erased already"}


@app.callback()
def _subject() -> None:
    """Show, export and erase what is held about one person."""


@app.command()
def show(
    identifier: IdentifierArgument = None, reference: ReferenceOption = None, output: OutputOption = Output.TABLE
) -> None:
    """Show how much is held about a person, where and since when. Exit 1 when nobody is known by that."""
    from inzage.sinks.reading import open_trail
    from inzage.sinks.subject import extents_of

    settings = load_settings()
    vault = _vault(settings, identifier, reference)
    found = reference or vault.find(identifier or "")
    with open_trail(settings) as trail:
        extents = extents_of(trail, found) if found else []
    if found is None or not (extents or vault.is_linked(found) or vault.kept_keys.state(found)):
        show_object(_NOBODY, output)
        raise typer.Exit(EXIT_FINDINGS)
    held = [{"reference": found, "state": _state(vault, found), **asdict(extent)} for extent in extents]
    nothing = [{"reference": found, "state": _state(vault, found), "events": 0, "facts": 0}]
    show_rows(held or nothing, ("reference", "state", "controller", "events", "facts", "first", "last"), output)


@app.command()
def export(
    identifier: IdentifierArgument = None,
    reference: ReferenceOption = None,
    controller: ControllersOption = None,
    with_staff: Annotated[
        str | None,
        typer.Option(
            "--with-staff", metavar="DECISION", help="also references of who acted; which decision allows it"
        ),
    ] = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Give everything the trail holds about a person, words decrypted. Exit 1 when nobody is known by that."""
    from inzage.console.subject_export import export_of, lines_of, tables_of
    from inzage.sinks.reading import open_trail
    from inzage.sinks.subject import judged_about, said_about

    if with_staff is not None and not with_staff.strip():
        raise ConfigError("--with-staff: name the decision that weighed it (C-579/21)", code="config.arguments")
    settings = load_settings()
    controllers = _served(settings, controller or settings.controllers)
    vault = _vault(settings, identifier, reference)
    found = reference or vault.find(identifier or "")
    with open_trail(settings) as trail:
        kept = said_about(trail, found, controllers) if found else []
        verdicts = judged_about(trail, found, controllers) if found else []
    if found is None or not (kept or vault.is_linked(found) or vault.kept_keys.state(found)):
        show_object(_NOBODY, output)
        raise typer.Exit(EXIT_FINDINGS)
    key = vault.kept_keys.find(found)
    content = export_of(found, _state(vault, found), kept, verdicts, key, with_staff=with_staff)
    if output is Output.JSON:
        show_object(content, output)
    elif output is Output.JSONL:
        show_rows(lines_of(content), (), output)
    else:
        for title, columns, rows in tables_of(content):
            show_rows(rows, columns, output, title)
    say(f"{len(content['events'])} events, {len(content['facts'])} facts, {len(content['verdicts'])} verdicts")


@app.command()
def report(
    identifier: IdentifierArgument = None,
    reference: ReferenceOption = None,
    controller: ControllersOption = None,
    contact: Annotated[str, typer.Option(help="whom to ask for a copy of a safeguard")] = "the controller",
    output: OutputOption = Output.TABLE,
) -> None:
    """Answer what a person asks: purposes, recipients, looks, sources, transfers, periods. Exit 1 when unknown.

    Of staff only role and organisation are told.
    """
    from inzage.console.subject_export import export_of
    from inzage.console.subject_report import report_of, tables_of
    from inzage.schemas.json_face import write
    from inzage.sinks.reading import open_trail
    from inzage.sinks.subject import references_of, said_about

    settings = load_settings()
    controllers = _served(settings, controller or settings.controllers)
    vault = _vault(settings, identifier, reference)
    found = reference or vault.find(identifier or "")
    with open_trail(settings) as trail:
        kept = said_about(trail, found, controllers) if found else []
        references = references_of(trail, controllers) if kept else []
    if found is None or not (kept or vault.is_linked(found) or vault.kept_keys.state(found)):
        show_object(_NOBODY, output)
        raise typer.Exit(EXIT_FINDINGS)
    key = vault.kept_keys.find(found)
    content = export_of(found, _state(vault, found), kept, [], key, with_staff=None)
    known = [write("reference", one.said.record)["fact"] for one in references]
    answer = report_of(content, known, contact)
    if output is Output.TABLE:
        for title, columns, rows in tables_of(answer):
            show_rows(rows, columns, output, title)
    else:
        show_object(answer, output)


@app.command()
def erase(
    controller: Annotated[list[str], typer.Option("--controller", help="who erases; each that holds something")],
    ground: Annotated[str, typer.Option(help='why, as a provision: "GDPR 17(1)(b)"; nothing about the person')],
    by: Annotated[str, typer.Option(help="who carries it out, by identifier")],
    identifier: IdentifierArgument = None,
    reference: ReferenceOption = None,
    role: Annotated[str | None, typer.Option(help="the role in which that is, as the role matrix names it")] = None,
    request: Annotated[str | None, typer.Option(help="reference of the person's request")] = None,
    wait: Annotated[float, typer.Option(min=0, help="seconds to wait for a trail that is behind")] = 30.0,
    check: Annotated[bool, typer.Option("--check", help="only say whether it may be, erase nothing")] = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """Destroy a person's key and link, and say so on the controller's events topic.

    What was encrypted cannot be read afterwards, in no store; everything else stays as it was said, under a reference
    that leads to nobody. Given again the command finishes what was begun. Exit 1 when a hold or a duty to keep
    forbids it, or nobody is known by that.
    """
    from inzage.console.erasure import Eraser, Request
    from inzage.sinks.reading import open_trail

    settings = load_settings()
    controllers = _served(settings, controller)
    if not (ground.strip() and by.strip()):
        raise ConfigError("--ground and --by: say something", code="config.arguments")
    vault = _vault(settings, identifier, reference)
    found = reference or vault.find_unfinished(identifier or "") or vault.find(identifier or "")
    with open_trail(settings) as trail:
        eraser = Eraser(settings, vault, trail, wait)
        if found is None or not eraser.is_known(found):
            show_object(_NOBODY, output)
            raise typer.Exit(EXIT_FINDINGS)
        if check:
            _refuse(eraser.obstacles(found, controllers), output)
            say("nothing stands in the way; nothing was erased")
            return
        erasures, obstacles = eraser.erase(
            Request(found, controllers, ground, vault.reference(by), role=role, request_ref=request)
        )
    _refuse(obstacles, output)
    shown = [{"state": "ERASED", **asdict(erasure)} for erasure in erasures]
    show_rows(shown, ("reference", "state", "controller", "destroyed_at", "event_id"), output)
    for reference_ in sorted({erasure.reference for erasure in vault.erasures.all_unfinished()}):
        say(f"another erasure was begun and not finished: inzage subject erase --reference {reference_} ...")


def _refuse(obstacles: Iterable[Any], output: Output) -> None:
    """Show what forbids the erasure, if anything does, and end."""
    rows = [{"state": "REFUSED", **asdict(obstacle)} for obstacle in obstacles]
    if rows:
        show_rows(rows, ("state", "controller", "kind", "reason", "until"), output)
        raise typer.Exit(EXIT_FINDINGS)


def _served(settings: Settings, controllers: Iterable[str]) -> tuple[str, ...]:
    """The controllers as the settings spell them; raises `ConfigError` for one that is not served."""
    spelled = {name.upper(): name for name in settings.controllers}
    if unknown := [name for name in controllers if name.upper() not in spelled]:
        hint = f"served are {', '.join(settings.controllers)}"
        raise ConfigError(f"--controller {unknown[0]}: not served here", code="config.controller", hint=hint)
    return tuple(dict.fromkeys(spelled[name.upper()] for name in controllers))


def _vault(settings: Settings, identifier: str | None, reference: str | None) -> SqlVault:
    """The vault that is there: to look somebody up is no reason to make one."""
    from inzage.schemas.emitter import SqlVault
    from inzage.schemas.emitter.vault import FILE_NAME, URL_VARIABLE

    if bool(identifier) == bool(reference):
        raise ConfigError("an identifier or --reference: exactly one is needed", code="config.arguments")
    file = settings.data_dir / FILE_NAME
    if not os.environ.get(URL_VARIABLE) and not file.exists():
        hint = f"run it where the sources keep it, or name it with INZAGE_DATA_DIR or {URL_VARIABLE}"
        raise ConfigError(f"there is no vault {FILE_NAME} in {settings.data_dir}", code="config.vault", hint=hint)
    return SqlVault.of(settings.data_dir)


def _state(vault: SqlVault, reference: str) -> str:
    from inzage.schemas.emitter.vault_data_keys import KeyState

    return "ERASED" if vault.kept_keys.state(reference) is KeyState.ERASED else "ACTIVE"
