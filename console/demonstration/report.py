"""Shows the outcome of the demonstration as a person would want to read it."""

from __future__ import annotations

from inzage.console.demonstration.outcome import Outcome
from inzage.console.output import Output, show_object, show_rows, show_text

_SHOWN_AT_MOST = 10


def show(outcome: Outcome, output: Output) -> None:
    """Print the outcome."""
    if output is not Output.TABLE:
        show_object(outcome.as_json(), output)
        return
    rows = [
        {
            "policy": f"{promise['rule_id']}\n{promise['severity'].lower()}",
            "found": _times(promise["found"], promise["result"]),
            "what the notice promises": promise["promise"],
            "GDPR": ", ".join(promise["articles"]),
        }
        for promise in outcome.promises
    ]
    show_rows(
        rows, ("policy", "found", "what the notice promises", "GDPR"), output, title="Promises that were broken"
    )
    for paragraph in (
        _said(outcome),
        _planted(outcome),
        _imported(outcome),
        _trail(outcome),
        _proof(outcome),
        _verdict(outcome),
    ):
        show_text(paragraph)


def _times(count: int, result: str) -> str:
    return f"{count}" if result == "VIOLATION" else f"{count} {result.lower()}"


def _said(outcome: Outcome) -> str:
    emitted, seconds = outcome.emitted, outcome.seconds
    return (
        f"\n[bold]Said[/bold]      {emitted['events']:,} events and {emitted['facts']:,} facts about persons "
        f"in {seconds['emitting']:.0f} s, after {emitted['references']:,} facts about organisations and law; "
        f"all judged and kept {seconds['settling']:.1f} s later."
    )


def _planted(outcome: Outcome) -> str:
    compared = outcome.comparison
    found = compared.planted - len(compared.missed)
    lines = [
        f"[bold]Planted[/bold]   {compared.planted:,} events and facts break a promise: {found:,} found, "
        f"{_coloured(len(compared.missed))} missed. {compared.near_misses:,} come close and must pass, as must all "
        f"others: {_coloured(len(compared.false_alarms))} false alarms."
    ]
    lines += [f"  missed: {label.event_id} ({label.story})" for label in compared.missed[:_SHOWN_AT_MOST]]
    lines += [f"  false alarm: {event_id}" for event_id in compared.false_alarms[:_SHOWN_AT_MOST]]
    return "\n".join(lines)


def _imported(outcome: Outcome) -> str:
    of = outcome.on_imported
    if not outcome.imported["events"]:
        return "[bold]Imported[/bold]  no AuditEvents."
    return (
        f"[bold]Imported[/bold]  {outcome.imported['read']:,} FHIR AuditEvents, which became "
        f"{outcome.imported['events']:,} events: {of.get('VIOLATION', 0):,} verdicts of violation, "
        f"{of.get('WARNING', 0):,} warnings, {of.get('NOT_EVALUABLE', 0):,} where they do not say enough to judge."
    )


def _trail(outcome: Outcome) -> str:
    trail = outcome.as_json()["trail"]
    complete = "every offset is there once" if outcome.standing.complete else "[bold red]not complete[/bold red]"
    return (
        f"[bold]Trail[/bold]     {trail['rows']:,} rows of {trail['logs']} logs, {complete}: {trail['gaps']} gaps, "
        f"{trail['duplicates']} duplicates, {trail['lag']} behind, {trail['unjudged']} not judged, "
        f"{trail['unsealed']} not sealed."
    )


def _proof(outcome: Outcome) -> str:
    tampering = outcome.tampering
    if tampering is None:
        return ""
    before, finding = tampering.before, tampering.finding
    word = "[bold red]not valid[/bold red]" if before.tampered or not before.complete else "valid"
    lines = [
        f"[bold]Proven[/bold]    {before.leaves:,} rows hashed anew and compared with what the sealer signed in "
        f"{before.checkpoints:,} statements: {word}."
    ]
    if finding is None:
        lines.append("[bold red]One byte of one row was changed in a copy, and nobody noticed.[/bold red]")
    else:
        lines.append(
            f"[bold]Tampered[/bold]  one byte of one row was changed in a copy. Found: {finding.code}, record "
            f"{finding.first} of {finding.log}: {finding.what}"
        )
    return "\n".join(lines)


def _verdict(outcome: Outcome) -> str:
    if outcome.held:
        return f"[bold green]All as promised[/bold green] in {outcome.seconds['total']:.0f} s."
    return "[bold red]Not as promised.[/bold red]"


def _coloured(count: int) -> str:
    return f"[green]{count}[/green]" if count == 0 else f"[bold red]{count}[/bold red]"
