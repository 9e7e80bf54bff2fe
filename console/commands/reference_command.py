"""`inzage reference`: loads and lists what is known of organisations, agreements, instruments, rules and law."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from difflib import get_close_matches
from importlib.resources import as_file
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

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
from inzage.console.output import EXIT_USAGE, Output, OutputOption, say, show_object, show_rows
from inzage.schemas.errors import ConfigError
from inzage.schemas.settings import Settings, load_settings

if TYPE_CHECKING:
    from inzage.console.references.file import Read, Refused
    from inzage.console.references.plan import Step

app = typer.Typer(
    no_args_is_help=True, help="Load and list what is known of organisations, agreements, instruments and law."
)

_LAW = "LAW"
_CLOCK = ["%Y-%m-%dT%H:%M:%S.%f%z", "%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d"]


@app.command()
def load(
    file: Annotated[Path | None, typer.Argument(help="YAML or CSV of reference facts")] = None,
    controller: Annotated[str | None, typer.Option(help="controller of facts that name none; LAW for all")] = None,
    kind: Annotated[str | None, typer.Option(help="CSV: the kind of its facts, for example AgreementSigned")] = None,
    starter: Annotated[bool, typer.Option("--starter", help="the example data that ship, instead of a file")] = False,
    pseudonymise: Annotated[
        bool, typer.Option("--pseudonymise", help="persons stand by identifier: put references of the vault")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="show what would change, say nothing")] = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """Say the facts of a file that are new or state something else than what stands; the rest is left alone.

    Loading a file again changes nothing. Nothing is loaded while any line is wrong: exit 2, naming file, line, field.
    """
    from inzage.console.references.plan import Change, plan
    from inzage.console.references.topic import known_on_topics
    from inzage.console.voices import open_voice

    settings = load_settings()
    if starter == (file is not None):
        raise ConfigError("name a file, or --starter", code="config.arguments")
    sources = [_source(file, controller, kind)] if file else list(_starter(settings))
    refused = [wrong for source in sources for wrong in (*source.refused, *_foreign(source, settings))]
    steps: list[tuple[str, Step]] = []
    if not refused:
        if pseudonymise:
            sources = [_pseudonymised(source, settings) for source in sources]
        named = {one.said.record["controller_id"] for source in sources for one in source.facts}
        known, unreadable = asyncio.run(known_on_topics(settings.kafka, named, settings.schema_registry))
        if unreadable:
            say(f"{unreadable} records of the references topics cannot be read and count for nothing")
        for source in sources:
            planned, wrong = plan(source.name, source.facts, known)
            steps += [(source.name, step) for step in planned]
            refused += wrong
    if refused:
        show_rows([asdict(one) for one in refused], ("file", "line", "field", "message"), output)
        say(f"{len(refused)} facts are wrong; nothing was loaded")
        raise typer.Exit(EXIT_USAGE)
    to_say = [step for _, step in steps if step.change is not Change.SAME]
    if to_say and not dry_run:
        speaks_for = settings.controllers[0]
        with open_voice(speaks_for, "reference", pseudonymise=False, dry_run=False) as (voice, _):
            for step in to_say:
                voice.say(step.said)
    _show(steps, output, dry_run=dry_run)


@app.command("list")
def list_(
    kind: Annotated[list[str] | None, typer.Option(help="only this kind; may be repeated")] = None,
    as_of: Annotated[datetime | None, typer.Option(formats=_CLOCK, help="what held then; by default now")] = None,
    known_at: Annotated[
        datetime | None, typer.Option(formats=_CLOCK, help="as it was known then; by default now")
    ] = None,
    controller: Annotated[str, typer.Option(help="only this controller, or LAW")] = "",
    actor: ActorOption = "",
    purpose: PurposeOption = DEFAULT_PURPOSE,
    role: RoleOption = "",
    output: OutputOption = Output.TABLE,
) -> None:
    """List from the trail the facts that hold at one instant, as they were known at another. Without a zone: UTC.

    The law as it ships is built in; here stands what was said besides. Looking is recorded as an event of each
    controller of the installation that was read: staff and who approved stand in some facts.
    """
    from inzage.console.references.identity import kinds
    from inzage.console.references.listing import Asked, listed
    from inzage.sinks.reading import open_trail

    settings = load_settings()
    if unknown := [one for one in kind or () if one not in kinds()]:
        near = get_close_matches(unknown[0], kinds(), n=1)
        hint = f"did you mean {near[0]}?" if near else None
        raise ConfigError(f"--kind {unknown[0]}: no kind of reference fact", code="config.arguments", hint=hint)
    lawful = controller.upper() in ("", _LAW)
    served = controllers_read(settings, "" if lawful else controller)
    asked = Asked(
        ((_LAW,) if controller.upper() == _LAW else (*served, _LAW) if lawful else served),
        tuple(kind or ()),
        _instant(as_of),
        _instant(known_at),
    )
    told = {"kind": kind, "as_of": asked.as_of.isoformat(), "known_at": asked.known_at.isoformat()}
    with (
        recorded(settings, served, Reader(actor, purpose, role), query="references", filter=told) as look,
        open_trail(settings) as trail,
    ):
        found = list(listed(trail, asked))
        look.rows.update(row["controller"] for row in found)
    columns = ("controller", "kind", "key", "states", "holds_from", "holds_to", "known_at")
    show_rows(found, columns, output, title=f"{len(found)} facts")


@dataclass(frozen=True, slots=True)
class _Source:
    """A file as read."""

    name: str
    facts: list[Read]
    refused: list[Refused]


def _source(path: Path, controller: str | None, kind: str | None) -> _Source:
    from inzage.console.references.file import read_facts, written_in

    return _Source(path.name, *read_facts(path.name, written_in(path, kind), controller))


def _starter(settings: Settings) -> Iterator[_Source]:
    from inzage.streams.screening.pack import packs_folder

    for controller in (_LAW, *settings.controllers):
        with as_file(packs_folder().joinpath("starter", f"{controller.lower()}.yaml")) as path:
            if path.is_file():
                yield _source(path, controller, None)


def _foreign(source: _Source, settings: Settings) -> list[Refused]:
    """Facts of controllers that this installation does not serve."""
    from inzage.console.references.file import Refused

    served = {_LAW, *settings.controllers}
    text = f"controller_id: not one of this installation ({', '.join(sorted(served))})"
    return [
        Refused(source.name, one.line, "controller_id", text)
        for one in source.facts
        if one.said.record["controller_id"] not in served
    ]


def _pseudonymised(source: _Source, settings: Settings) -> _Source:
    from inzage.schemas.emitter import SqlVault
    from inzage.schemas.emitter.persons import pseudonymise_said

    vault = SqlVault.of(settings.data_dir)
    facts = [replace(one, said=pseudonymise_said(one.said, vault)) for one in source.facts]
    return replace(source, facts=facts)


def _instant(stated: datetime | None) -> datetime:
    if stated is None:
        return datetime.now(UTC)
    return stated if stated.tzinfo else stated.replace(tzinfo=UTC)


def _show(steps: list[tuple[str, Step]], output: Output, *, dry_run: bool) -> None:
    rows: list[dict[str, Any]] = [
        {
            "file": name,
            "line": step.line,
            "change": step.change.value,
            "controller": step.identity[0],
            "kind": step.identity[1],
            "key": step.identity[2],
            "fact_id": step.fact_id,
            "corrects": step.corrects,
        }
        for name, step in steps
    ]
    counts = Counter(row["change"] for row in rows)
    told = {change: counts[change] for change in ("new", "same", "changed", "ended")}
    if output is Output.TABLE:
        changed = [row for row in rows if row["change"] != "same"]
        if changed:
            show_rows(changed, ("file", "line", "change", "controller", "kind", "key", "corrects"), output)
        show_object({**told, "dry_run": dry_run}, output)
    else:
        show_object({**told, "dry_run": dry_run, "facts": rows}, output)
    if dry_run:
        say("nothing was sent")
