"""`inzage trail`: shows what the trail holds and whether it is complete. Exit 1 when it is not."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from inzage.console.output import EXIT_FINDINGS, Output, OutputOption, say, show_rows
from inzage.schemas.settings import load_settings

app = typer.Typer(no_args_is_help=True, help="Show what the trail holds and whether it is complete.")

_COLUMNS = (
    "topic",
    "partition",
    "first",
    "last",
    "rows",
    "gaps",
    "duplicates",
    "dead_letters",
    "lag",
    "sealed",
    "unsealed",
)

_WITNESSED_COLUMNS = (
    "origin",
    "sealed",
    "sealed_at",
    "witnessed",
    "witnessed_at",
    "cosigned_by",
    "stamped",
    "stamped_at",
)


@app.callback()
def _trail() -> None:
    """Show what the trail holds and whether it is complete."""


@app.command()
def status(
    empty: Annotated[
        bool, typer.Option("--empty", help="Also show logs that hold nothing and lack nothing.")
    ] = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """Compare Kafka's offsets with the trail's rows, log by log. Exit 1 when there is a gap or a duplicate."""
    from inzage.sinks.status import trail_status

    logs = trail_status(load_settings())
    shown = [log for log in logs if empty or log.rows or log.lag]
    show_rows([{**asdict(log), "complete": log.complete} for log in shown], _COLUMNS, output)
    wrong = [log for log in logs if not log.complete]
    rows, behind, unsealed = (sum(getattr(log, name) for log in logs) for name in ("rows", "lag", "unsealed"))
    say(f"{len(logs)} logs, {rows} rows, {behind} behind, {unsealed} not sealed, {len(wrong)} incomplete")
    if wrong:
        raise typer.Exit(EXIT_FINDINGS)


@app.command()
def witnessed(output: OutputOption = Output.TABLE) -> None:
    """Show what size is sealed, cosigned by a quorum of witnesses, and time-stamped.

    Exit 1 when an attestation does not hold.
    """
    from inzage.sinks.witness.witnessed import witnessed as read_witnessed

    logs = read_witnessed(load_settings())
    show_rows([asdict(log) for log in logs], _WITNESSED_COLUMNS, output)
    for log in logs:
        quorum = (
            f"{log.quorum} of {log.witnesses} witnesses are needed" if log.witnesses else "no witness is configured"
        )
        reached = f"{log.witnessed or 'none'} witnessed, {log.stamped or 'none'} stamped"
        say(f"{log.origin}: {log.sealed} sealed, {reached}; {quorum}")
        for why in log.false:
            say(f"{log.origin}: {why}")
    if any(log.false for log in logs):
        raise typer.Exit(EXIT_FINDINGS)
