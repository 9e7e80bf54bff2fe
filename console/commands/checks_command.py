"""`inzage checks`: lists the scheduled checks, and runs them over the trail at once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated, Any

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
from inzage.console.output import EXIT_FINDINGS, Output, OutputOption, say, show_rows
from inzage.schemas.settings import Settings, load_settings

app = typer.Typer(help="List and run the checks that look over the whole trail.", no_args_is_help=True)

_LISTED = ("check", "controller", "rule_id", "owner", "topic", "promise", "articles")
_FOUND = ("controller", "check", "rule_id", "result", "about", "subject", "since", "owner")


@app.command("list")
def list_checks(
    controller: Annotated[str, typer.Option(help="Only those of this controller.")] = "",
    output: OutputOption = Output.TABLE,
) -> None:
    """List every check and every deadline that the clock judges, with owner and topic of what they find."""
    from inzage.console.checks.catalogue import CHECKS
    from inzage.console.checks.findings import rule_of
    from inzage.schemas.topics import ControllerTopics
    from inzage.streams.screening.pack import policies_of

    settings = load_settings()
    rows: list[dict[str, Any]] = []
    for controller_id in controllers_read(settings, controller):
        policies, topics = policies_of(controller_id.upper(), settings.packs_dir), ControllerTopics(controller_id)
        for check in CHECKS:
            for entry in check.entries(policies):
                rows.append(
                    {
                        "check": check.name,
                        "controller": controller_id,
                        "rule_id": rule_of(check, entry),
                        "owner": check.owner,
                        "topic": topics.violations(entry.theme if entry else check.theme),
                        "promise": entry.promise if entry else check.promise,
                        "articles": entry.articles if entry else list(check.articles),
                    }
                )
        for entry in policies.entries:
            if entry.due:
                rows.append(
                    {
                        "check": "deadline",
                        "controller": controller_id,
                        "rule_id": entry.id,
                        "owner": "whoever listens to the topic",
                        "topic": topics.violations(entry.theme),
                        "promise": entry.deadline or entry.promise,
                        "articles": entry.articles,
                    }
                )
    show_rows(rows, _LISTED, output)


@app.command()
def run(
    name: Annotated[str, typer.Argument(help="Only this check.")] = "",
    controller: Annotated[str, typer.Option(help="Only for this controller.")] = "",
    now: Annotated[
        datetime | None, typer.Option(help="As of this instant, UTC unless it says otherwise; nothing is published.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Publish no verdicts.")] = False,
    actor: ActorOption = "",
    purpose: PurposeOption = DEFAULT_PURPOSE,
    role: RoleOption = "",
    output: OutputOption = Output.TABLE,
) -> None:
    """Run checks, publish verdicts on what is new or gone, and show what is found. Exit 1 when anything is.

    The reviser does the same every minute; running twice says nothing twice.
    """
    from inzage.console.checks.rounds import checks_named, run_checks
    from inzage.sinks.reading import open_trail
    from inzage.streams.screening.pack import policies_of

    settings = load_settings()
    checks = checks_named(name)
    controllers = controllers_read(settings, controller)
    at = datetime.now(UTC) if now is None else now if now.tzinfo else now.replace(tzinfo=UTC)
    asked = {"check": name, "now": at.isoformat()}
    with (
        recorded(settings, controllers, Reader(actor, purpose, role), query="checks", filter=asked) as look,
        open_trail(settings) as trail,
    ):
        reports = [
            report
            for controller_id in controllers
            for report in run_checks(
                trail, policies_of(controller_id.upper(), settings.packs_dir), checks, at, settings.retention
            )
        ]
        for report in reports:
            look.rows[report.controller_id] += len(report.findings)
    if now is None and not dry_run:
        said = asyncio.run(_publish(settings, ((report.controller_id, report.verdicts) for report in reports)))
        say(f"{said} verdicts published")
    found = [finding for report in reports for finding in report.findings]
    show_rows(found, _FOUND, output)
    if found:
        raise typer.Exit(EXIT_FINDINGS)


async def _publish(settings: Settings, verdicts: Iterable[tuple[str, Iterable[dict[str, Any]]]]) -> int:
    from inzage.schemas.topics import ControllerTopics
    from inzage.streams.outgoing import verdict_records
    from inzage.streams.transport.publisher import BatchPublisher

    said = 0
    async with BatchPublisher(settings.kafka) as publisher:
        for controller_id, own in verdicts:
            new = list(own)
            said += len(new)
            await publisher.publish(verdict_records(ControllerTopics(controller_id), new))
    return said
