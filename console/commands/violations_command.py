"""`inzage violations`: shows from the trail what does not comply, with the promise each violation breaks."""

from __future__ import annotations

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
from inzage.console.output import EXIT_FINDINGS, Output, OutputOption, show_rows
from inzage.schemas.settings import load_settings

app = typer.Typer(help="Show violations from the trail, with the promise each breaks.")

_NEWEST = (
    *("occurred_at", "rule_id", "severity", "heading", "promise", "articles", "subject", "recipient", "event_id"),
)
_BY_RULE = ("rule_id", "violations", "subjects", "severity", "heading", "promise", "articles", "newest")
_HISTORY = ("occurred_at", "rule_id", "result", "revision", "state", "evaluated_at", "subject", "event_id")
_COLUMNS = {"violations": _NEWEST, "violations_by_rule": _BY_RULE, "violations_history": _HISTORY}
_ALL = ["VIOLATION", "WARNING", "NOT_EVALUABLE"]


@app.command()
def violations(
    controller: Annotated[str, typer.Option(help="Only those of this controller.")] = "",
    rule: Annotated[str, typer.Option(help="Only those of this entry of a pack.")] = "",
    by_rule: Annotated[bool, typer.Option("--by-rule", help="Count them by entry of the pack.")] = False,
    history: Annotated[bool, typer.Option("--history", help="Also those superseded since, marked so.")] = False,
    warnings: Annotated[bool, typer.Option("--warnings", help="Also warnings and what could not be judged.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="At most so many lines.")] = 50,
    actor: ActorOption = "",
    purpose: PurposeOption = DEFAULT_PURPOSE,
    role: RoleOption = "",
    output: OutputOption = Output.TABLE,
) -> None:
    """Show the newest violations as they stand after every revision. Exit 1 when there is one.

    With `--history` those count too that were lifted by what was learnt later; the state says which.

    Looking is recorded as an event of each controller read, before anything is shown.
    """
    from inzage.sinks.reading import open_trail

    settings = load_settings()
    controllers = controllers_read(settings, controller)
    if by_rule and history:
        raise typer.BadParameter("--by-rule counts what stands now; --history shows single verdicts")
    query = "violations_by_rule" if by_rule else "violations_history" if history else "violations"
    asked = {"results": _ALL if warnings else _ALL[:1], "rule": rule, "limit": limit}
    with (
        recorded(settings, controllers, Reader(actor, purpose, role), query=query, filter=asked) as look,
        open_trail(settings) as trail,
    ):
        found = list(trail.select_named(query, controllers=list(controllers), **asked))
        look.rows.update(row["controller_id"] for row in found)
    show_rows(found, _COLUMNS[query], output)
    if found:
        raise typer.Exit(EXIT_FINDINGS)
