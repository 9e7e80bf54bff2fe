"""`inzage screen`: judges a file of facts and events as the worker would, without Kafka or a ClickHouse server."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from inzage.console.output import (
    EXIT_FINDINGS,
    EXIT_USAGE,
    Output,
    OutputOption,
    say,
    show_object,
    show_plain,
    show_rows,
)
from inzage.schemas.errors import ConfigError
from inzage.schemas.json_lines import Line, read_lines
from inzage.schemas.settings import load_settings

if TYPE_CHECKING:
    from inzage.console.explanation.explain import Explanation
    from inzage.streams.screening.offline import Screened

app = typer.Typer(help="Judge facts and events of a file, without Kafka or ClickHouse.")

CLOCK = ["%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d"]
"""How an instant is given; without a zone it is UTC."""

_SHOWN = (
    *(
        "event_id",
        "rule_id",
        "result",
        "severity",
        "theme",
        "reason",
        "facts",
        "supersedes",
        "pack",
        "pack_version",
    ),
    *("verdict_id", "heading", "promise", "articles"),
)


@app.command()
def screen(
    file: Annotated[Path, typer.Argument(help="JSON lines: {'fact': {...}} and {'event': {...}}")],
    output: OutputOption = Output.TABLE,
    scenario: Annotated[bool, typer.Option("--scenario", help="the lines are scenarios with expectations")] = False,
    controller: Annotated[str | None, typer.Option(help="controller of lines that name none")] = None,
    now: Annotated[datetime | None, typer.Option(formats=CLOCK, help="also judge deadlines as of this time")] = None,
    packs: Annotated[Path | None, typer.Option(help="folder of packs that stand before those that ship")] = None,
    explain: Annotated[bool, typer.Option("--explain", help="explain what is wrong and stands")] = False,
) -> None:
    """Print one line a verdict. Exit 1 when there is a violation or a failed expectation, 2 for lines unreadable."""
    if not file.is_file():
        raise ConfigError(f"{file}: there is no such file", code="config.file")
    if scenario:
        raise typer.Exit(_run_scenarios(file, packs, output))
    raise typer.Exit(_screen(file, packs, controller, now, output, explain=explain))


def _screen(
    file: Path,
    packs: Path | None,
    controller: str | None,
    now: datetime | None,
    output: Output,
    *,
    explain: bool,
) -> int:
    from inzage.streams.screening.offline import OfflineScreening

    lines = read_lines(
        file.read_text(encoding="utf-8", errors="replace").split("\n"), strict=False, controller_id=controller
    )
    for line in lines:
        for note in line.said.notes if line.said else ():
            say(f"{file.name}, line {line.number}: {note}")
    clock = () if now is None else (now if now.tzinfo else now.replace(tzinfo=UTC),)
    screened = OfflineScreening(packs).screen(lines, clock=clock)
    for number, code, message in screened.refused:
        say(f"[red]{file.name}, line {number}: {message}[/red] ({code})")
    explained = _explained(lines, screened, packs) if explain else {}
    if explained and output is Output.TABLE:
        show_plain("\n".join(explanation.as_text() for explanation in explained.values()))
    else:
        columns = ("result", "severity", "rule_id", "promise", "articles", "event_id", "reason")
        rows = [
            {**row, "explanation": explained[row["verdict_id"]].as_json()} if row["verdict_id"] in explained else row
            for row in _shown(screened.verdicts)
        ]
        show_rows(rows, columns, output, title=f"{len(screened.verdicts)} verdicts")
    violations = sum(verdict["result"] == "VIOLATION" for verdict in screened.verdicts)
    say(
        f"{screened.events} events and {screened.facts} facts read, {len(screened.refused)} refused, "
        f"{violations} violations"
    )
    if violations:
        return EXIT_FINDINGS
    return EXIT_USAGE if screened.refused else 0


def _explained(lines: Sequence[Line], screened: Screened, packs: Path | None) -> dict[str, Explanation]:
    """What is wrong and stands at the end, explained, by verdict_id."""
    from inzage.console.explanation.explain import explain
    from inzage.console.explanation.from_file import cases_of

    settings = load_settings()
    return {
        verdict["verdict_id"]: explain(case, settings.zone_of(verdict["controller_id"]), in_trail=False)
        for verdict, case in cases_of(lines, screened, packs)
        if verdict["result"] in ("VIOLATION", "WARNING")
    }


def _shown(verdicts: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [{name: verdict[name] for name in _SHOWN} for verdict in verdicts]


def _run_scenarios(file: Path, packs: Path | None, output: Output) -> int:
    from inzage.streams.screening.scenarios import run_scenarios

    report = run_scenarios(file, packs)
    if output is Output.TABLE:
        rows = [
            *({**failure, "state": "failed"} for failure in report.failures),
            *({**missing, "state": "not built"} for missing in report.not_built),
        ]
        show_rows(rows, ("state", "scenario", "rule", "fires", "found", "why"), output)
        say(f"{report.passed} passed, {len(report.failures)} failed, {len(report.not_built)} not built")
    else:
        show_object(report.as_json(), output)
    return EXIT_FINDINGS if report.failures else 0
