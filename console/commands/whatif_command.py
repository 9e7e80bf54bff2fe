"""`inzage whatif`: what would be a violation if the law, an agreement or a policy were another."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
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
from inzage.console.output import EXIT_FINDINGS, Output, OutputOption, say, show_object, show_rows
from inzage.schemas.errors import ConfigError
from inzage.schemas.settings import Settings, load_settings

if TYPE_CHECKING:
    from inzage.console.whatif.hypothesis import Hypothesis
    from inzage.sinks.trail import Trail

app = typer.Typer(help="Ask what would be a violation if the law, an agreement or a policy were another.")

DAY = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S%z"]
_COLUMNS = ("rule_id", "recipient", "destination", "events", "persons")

Named = Annotated[list[str] | None, typer.Option()]


@app.command()
def whatif(
    annul_adequacy: Annotated[
        list[str] | None, typer.Option(metavar="COUNTRY", help="end its adequacy decisions")
    ] = None,
    end_agreement: Annotated[list[str] | None, typer.Option(metavar="REF", help="end an agreement")] = None,
    end_instrument: Annotated[list[str] | None, typer.Option(metavar="REF", help="end a transfer instrument")] = None,
    withdraw_certification: Annotated[
        list[str] | None, typer.Option(metavar="ORG", help="withdraw its certification under the framework")
    ] = None,
    packs: Annotated[Path | None, typer.Option(help="folder of packs to judge by, instead of those in force")] = None,
    rule: Annotated[list[str] | None, typer.Option(help="only this entry; may be repeated")] = None,
    change_from: Annotated[
        datetime | None, typer.Option("--from", formats=DAY, help="when it changes; none: it always was so")
    ] = None,
    since: Annotated[
        datetime | None, typer.Option(formats=DAY, help="begin of the period; a year before its end")
    ] = None,
    until: Annotated[datetime | None, typer.Option(formats=DAY, help="end of the period; the newest event")] = None,
    controller: Annotated[str, typer.Option(help="only this controller")] = "",
    limit: Annotated[int, typer.Option(min=0, help="events shown as examples")] = 20,
    processes: Annotated[int | None, typer.Option(min=1, help="not stated: one for each core")] = None,
    actor: ActorOption = "",
    purpose: PurposeOption = DEFAULT_PURPOSE,
    role: RoleOption = "",
    output: OutputOption = Output.TABLE,
) -> None:
    """Judge what the trail holds by the same predicates, otherwise; writes no verdict.

    Exit 1 when something would newly be a violation. A change that lies ahead is tried on the period as if it had
    come before it. With --packs it is the back-test of a pack before it goes into force.
    """
    from inzage.console.whatif.hypothesis import Hypothesis
    from inzage.sinks.reading import open_trail

    changes = [annul_adequacy, end_agreement, end_instrument, withdraw_certification]
    if not any(changes) and packs is None:
        raise ConfigError("nothing to suppose: name a change or a folder of packs", code="config.whatif")
    settings = load_settings()
    controllers = controllers_read(settings, controller)
    reports = {}
    asked = {"supposed": [one for change in changes for one in change or ()], "rules": rule}
    with (
        recorded(settings, controllers, Reader(actor, purpose, role), query="whatif", filter=asked) as look,
        open_trail(settings) as trail,
    ):
        for name in controllers:
            supposed = Hypothesis(
                _utc(change_from) or datetime(1900, 1, 1, tzinfo=UTC),
                annulled_adequacy=tuple(annul_adequacy or ()),
                ended_agreements=tuple(end_agreement or ()),
                ended_instruments=tuple(end_instrument or ()),
                withdrawn_certifications=tuple(withdraw_certification or ()),
            )
            how = limit, processes or os.cpu_count() or 1
            reports[name] = _report(trail, settings, name, supposed, packs, rule, _utc(since), _utc(until), *how)
            look.rows[name] = reports[name].get("violated", {}).get("events", 0)
    _show(reports, output)
    if any(report.get("violated", {}).get("events") for report in reports.values()):
        raise typer.Exit(EXIT_FINDINGS)


def _report(
    trail: Trail,
    settings: Settings,
    name: str,
    supposed: Hypothesis,
    packs: Path | None,
    rules: list[str] | None,
    since: datetime | None,
    until: datetime | None,
    limit: int,
    processes: int,
) -> dict[str, Any]:
    from dataclasses import replace

    from inzage.console.whatif.difference import Comparison
    from inzage.console.whatif.evidence import Evidence, Scope, select
    from inzage.console.whatif.question import World, dependents, question
    from inzage.console.whatif.sharing import Means, compare
    from inzage.schemas.topics import ControllerTopics
    from inzage.streams.dossier.law import law
    from inzage.streams.dossier.references import References
    from inzage.streams.screening.pack import policies_of

    begun = time.monotonic()
    topics = ControllerTopics(name)
    ((count, newest),) = select(trail, "newest", topic=topics.events)
    if not count:
        return {"period": None, "events": 0, "judged": 0}
    until = until or newest.replace(tzinfo=UTC) + timedelta(microseconds=1)
    since = since or until - timedelta(days=365)
    if supposed.since >= until:
        supposed = replace(supposed, since=since, asked_since=supposed.since)
    evidence = Evidence(trail, Scope(topics, since, until, int(time.time() * 1000)))
    known = list(evidence.references())
    in_force, other = policies_of(name, settings.packs_dir), policies_of(name, packs or settings.packs_dir)
    now = World(in_force, _tables(References(name, law(), in_force.settings), known))
    added = supposed.facts(name, [fact for _, fact in known])
    learnt = [*known, *((datetime.now(UTC), one) for one in added)]
    otherwise = World(other, _tables(References(name, law(), other.settings), learnt))
    asked = rules or (None if packs else dependents(other, now.tables, otherwise.tables))
    to_judge = question(now, otherwise, asked)
    if not packs:
        evidence.scope = replace(evidence.scope, words=tuple(supposed.words([fact for _, fact in known])))
    extents = evidence.extents()
    found = Comparison.empty(limit)
    if to_judge.entries:
        found = compare(Means(settings, to_judge, evidence.scope, limit), evidence, extents, processes)
    return {
        "period": [since.isoformat(), until.isoformat()],
        "as_if_from": supposed.since.isoformat() if added else None,
        "asked_from": supposed.asked_since.isoformat() if supposed.asked_since else None,
        "events": sum(extent.rows for extent in extents),
        "judged": found.judged,
        "rules": [entry.id for entry in other.entries if asked is None or entry.id in asked],
        "differing": list(to_judge.entries),
        "violated": found.violated.as_json(),
        "lawful": found.lawful.as_json(),
        "seconds": round(time.monotonic() - begun, 1),
    }


def _tables(references: Any, known: Any) -> Any:
    last = datetime(1970, 1, 1, tzinfo=UTC)
    for known_at, fact in known:
        references.take(known_at, fact)
        last = max(last, known_at)
    return references.tables(last)


def _utc(instant: datetime | None) -> datetime | None:
    return instant if instant is None or instant.tzinfo else instant.replace(tzinfo=UTC)


def _show(reports: Mapping[str, Mapping[str, Any]], output: Output) -> None:
    if output is not Output.TABLE:
        show_object(reports, output)
        return
    for name, report in reports.items():
        if not report.get("period"):
            say(f"{name}: the trail holds no event")
            continue
        begin, end = report["period"]
        period = f"{begin[:10]} to {end[:10]}"
        say(f"{name}: {report['events']:,} events from {period}, {report['judged']:,} of them concerned")
        if report.get("asked_from"):
            say(f"  the change lies ahead ({report['asked_from'][:10]}): judged as if it had come before the period")
        for what, title in (("violated", "would be a violation"), ("lawful", "would be one no longer")):
            found = report.get(what)
            if found and found["events"]:
                persons, recipients = f"{found['persons']:,} persons", f"{found['recipients']:,} recipients"
                heading = f"{name}: {found['events']:,} events, {persons}, {recipients}: {title}"
                show_rows(found["by_recipient"], _COLUMNS, output, title=heading)
            elif found and what == "violated":
                say(f"  nothing {title}")
