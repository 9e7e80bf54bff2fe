"""`inzage retention`: shows what is older than its period, and drops it after a signed statement."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from inzage.console.consultation import controllers_read
from inzage.console.output import EXIT_FINDINGS, Output, OutputOption, say, show_rows, stderr
from inzage.schemas.errors import ConfigError, TamperError
from inzage.schemas.settings import Settings, load_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from inzage.sinks.trail import Trail

app = typer.Typer(no_args_is_help=True, help="Show and drop what is older than its period, after a signed statement.")

ControllerOption = Annotated[str, typer.Option(help="Only of this controller.")]
NowOption = Annotated[
    str, typer.Option("--now", hidden=True, help="As if it were this time, RFC 3339; for tests on backdated trails.")
]

_PLAN = ("controller", "topic", "partition", "months", "rows", "stays_from_index", "stays_from_offset", "kept_by")
_RUN = ("controller", "topic", "months", "rows")
_DROP_WITHIN = 600.0  # seconds


@app.command("plan")
def plan(controller: ControllerOption = "", now: NowOption = "", output: OutputOption = Output.TABLE) -> None:
    """Show what would go, month by month of each topic, what stays, and which legal holds keep it."""
    from inzage.sinks.reading import open_trail
    from inzage.sinks.retention.holdings import plan_for

    settings, at = load_settings(), _time(now)
    rows: list[dict[str, Any]] = []
    with open_trail(settings) as trail:
        for name in controllers_read(settings, controller):
            try:
                plans = plan_for(settings, trail, name, at)
            except ConfigError as error:
                if controller:
                    raise
                say(f"{name}: {error.diagnostics()}")
                continue
            for one in plans:
                rows += _plan_rows(name, one)
    show_rows(rows, _PLAN, output)
    say(f"{sum(row['rows'] for row in rows)} rows would go; nothing was changed")


@app.command("run")
def run(
    approver: Annotated[str, typer.Option(help="Who approved it: part of the public statement.")],
    reason: Annotated[str, typer.Option(help="Why, in one line: part of the public statement.")],
    controller: ControllerOption = "",
    wait: Annotated[float, typer.Option(min=1.0, help="Seconds the sealer has to state it.")] = 60.0,
    now: NowOption = "",
    output: OutputOption = Output.TABLE,
) -> None:
    """Drop what is older than the period of its controller: first the sealer states it in public, then it goes.

    Broken off anywhere, it goes on when it is run again. Exit 1 when the trail contradicts what was sealed; 2 when a
    controller has no period, or something does not answer.
    """
    from inzage.sinks.reading import open_trail
    from inzage.sinks.retention.run import Run
    from inzage.sinks.retention.statement import Warrant

    settings, warrant, at = load_settings(), Warrant(reason, approver), _time(now)
    named = controllers_read(settings, controller)
    for name in named:
        settings.retention.period_of(name)  # of all of them, before anything goes of one
    rows: list[dict[str, Any]] = []
    try:
        with open_trail(settings) as reader, _owner(settings) as owner:
            for name in named:
                for one in Run(settings, name, reader, owner, warrant, at, within=wait).run():
                    rows.append({"controller": name, "topic": one.topic, "months": one.months, "rows": one.rows})
    except TamperError as error:
        stderr.print(f"[bold red]nothing more goes[/bold red] {error.code}: {error.diagnostics()}", soft_wrap=True)
        raise typer.Exit(EXIT_FINDINGS) from error
    show_rows(rows, _RUN, output)
    say(f"{sum(row['rows'] for row in rows)} rows went")


@contextmanager
def _owner(settings: Settings) -> Iterator[Trail]:
    """The trail as its owner reaches it: nobody else may drop anything."""
    from inzage.deploy.local.clickhouse.accounts import account_of
    from inzage.sinks.connection import open_clickhouse
    from inzage.sinks.roles import Role
    from inzage.sinks.trail import Trail

    client = open_clickhouse(account_of(settings, Role.OWNER), answer_within=_DROP_WITHIN)
    try:
        yield Trail(client, settings.clickhouse.database)
    finally:
        client.close()


def _plan_rows(controller: str, plan: Any) -> list[dict[str, Any]]:
    """One row for each log of which something goes; one for the topic when nothing does and something keeps it."""
    about = {"controller": controller, "topic": plan.topic, "months": plan.months, "kept_by": plan.kept_by}
    rows = [
        {
            **about,
            "log_id": log.log_id,
            "partition": int(log.log_id.rpartition("/")[2]),
            "rows": log.records,
            "stays_from_index": log.minimum_index,
            "stays_from_offset": log.minimum_offset,
        }
        for log in plan.logs
    ]
    if not rows and plan.kept_by:
        rows = [{**about, "rows": 0}]
    return rows


def _time(stated: str) -> datetime:
    if not stated:
        return datetime.now(UTC)
    try:
        at = datetime.fromisoformat(stated)
    except ValueError as error:
        raise ConfigError("--now: expected a time such as 2026-03-01T00:00:00Z", code="config.arguments") from error
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
