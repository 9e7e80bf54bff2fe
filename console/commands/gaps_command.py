"""`inzage gaps`: shows which numbers of which source are missing, and who fell silent."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from inzage.console.output import EXIT_FINDINGS, Output, OutputOption, say, show_rows
from inzage.schemas.settings import load_settings

app = typer.Typer(help="Show which numbers of which source are missing, and who fell silent.")

_COLUMNS = (
    *("source_system", "source_instance", "topic", "first", "last", "records", "missing", "ranges"),
    *("state", "last_word"),
)
_SHOWN = 20  # ranges in a table


@app.command()
def gaps(
    controller: Annotated[str, typer.Option(help="Only sources on the topics of this controller.")] = "",
    source: Annotated[str, typer.Option(help="Only this system, or instances that begin so.")] = "",
    since: Annotated[datetime | None, typer.Option(help="Only sources heard of since then, UTC.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Also sources of which nothing is missing.")] = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """List sources of which something is missing. Exit 1 when there is one, 0 when every source is complete.

    A number counts as missing a minute after a later one arrived. Kafka is asked how far the trail got.
    """
    from inzage.sinks.completeness.standing import source_standings

    found = [
        standing
        for standing in source_standings(load_settings(), controller=controller)
        if (not source or standing.source_system == source or standing.source_instance.startswith(source))
        and (since is None or standing.last_word >= (since if since.tzinfo else since.replace(tzinfo=UTC)))
    ]
    wanting = [standing for standing in found if not standing.complete]
    rows: list[dict[str, Any]] = [
        {**asdict(standing), "complete": standing.complete} for standing in (found if everything else wanting)
    ]
    if output is Output.TABLE:
        rows = [{**row, "ranges": _ranges(row["ranges"])} for row in rows]
    show_rows(rows, _COLUMNS, output)
    silent = sum(standing.state == "silent" for standing in found)
    missing = sum(standing.missing for standing in found)
    say(f"{len(found)} sources, {len(found) - len(wanting)} complete; {missing} numbers missing, {silent} silent")
    shortened = [standing for standing in found if standing.shortened]
    if shortened:
        say(
            f"{len(shortened)} of them speak on topics whose oldest months were dropped: what they lacked before the "
            "first number that is left is not known, and a number shortly after it may have gone with a month"
        )
    if wanting:
        raise typer.Exit(EXIT_FINDINGS)


def _ranges(ranges: tuple[tuple[int, int], ...]) -> list[str]:
    shown = [str(first) if first == last else f"{first}-{last}" for first, last in ranges[:_SHOWN]]
    return [*shown, "..."] if len(ranges) > _SHOWN else shown
