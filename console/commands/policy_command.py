"""`inzage policy`: checks packs and runs their examples, and shows what they cover."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from inzage.console.output import EXIT_FINDINGS, Output, OutputOption, say, show_object, show_rows
from inzage.schemas.settings import load_settings

if TYPE_CHECKING:
    from inzage.streams.screening.pack import Entry

app = typer.Typer(help="Check policy packs and run their examples; show what they cover.", no_args_is_help=True)

PacksOption = Annotated[Path | None, typer.Option(help="folder of packs that stand before those that ship")]
ControllerOption = Annotated[list[str] | None, typer.Option(help="only this controller; may be repeated")]


@app.command()
def check(
    packs: PacksOption = None, controller: ControllerOption = None, output: OutputOption = Output.TABLE
) -> None:
    """Check every predicate of every pack and run all examples. Exit 1 when one fails, 2 for a pack unreadable."""
    from inzage.streams.screening.check import check_policies
    from inzage.streams.screening.examples import run_examples

    failed = []
    report = {}
    for name in controller or load_settings().controllers:
        entries = check_policies(name, packs)
        ran = run_examples(name, packs)
        failed += [example for example in ran if not example.passed]
        report[name] = {"entries": entries, "examples": len(ran), "failed": sum(not e.passed for e in ran)}
        say(f"{name}: {entries} entries checked, {len(ran)} examples run, {report[name]['failed']} failed")
    if output is not Output.TABLE:
        show_object({"controllers": report, "failures": [_row(example) for example in failed]}, output)
    elif failed:
        show_rows([_row(example) for example in failed], ("entry", "title", "wanted", "found", "problem"), output)
    raise typer.Exit(EXIT_FINDINGS if failed else 0)


def _row(example: object) -> dict[str, object]:
    names = ("controller_id", "entry", "title", "wanted", "found", "problem")
    return {name: getattr(example, name) for name in names}


@app.command()
def coverage(packs: PacksOption = None, output: OutputOption = Output.TABLE) -> None:
    """Show the entries of every pack by kind and severity, with the number of their examples."""
    from inzage.streams.screening.pack import policies_of

    rows: list[dict[str, Any]] = []
    for name in load_settings().controllers:
        policies = policies_of(name, packs)
        for entry in (*policies.entries, *policies.unjudged):
            row = {
                "controller": policies.controller_id,
                "pack": policies.pack_of[entry.id].pack,
                "id": entry.id,
                "kind": entry.kind,
                "severity": entry.severity,
                "theme": entry.theme.value,
                "heading": entry.heading,
                "kept_by": _kept_by(entry),
                "state": entry.state,
                "assumed": entry.assumed,
                "proved_by": entry.served_by.proved_by if entry.served_by else "",
                "violating_examples": len(entry.examples.violates) if entry.examples else 0,
                "complying_examples": len(entry.examples.complies) if entry.examples else 0,
            }
            if not any(known["id"] == entry.id for known in rows):
                rows.append(row)
    if output is Output.TABLE:
        counts = Counter((row["pack"], row["kind"], row["severity"]) for row in rows)
        counted = Counter((row["pack"], row["kind"], row["severity"]) for row in rows if _counts(row))
        shown = [
            {"pack": of[0], "kind": of[1], "severity": of[2], "entries": count, "with_examples": counted[of]}
            for of, count in sorted(counts.items(), key=str)
        ]
        title = f"{len(rows)} entries, {sum(counted.values())} with examples both ways"
        show_rows(shown, ("pack", "kind", "severity", "entries", "with_examples"), output, title=title)
    else:
        show_rows(rows, (), output)


def _kept_by(entry: Entry) -> str:
    """What keeps a promise: its predicate, a scheduled check, a service, reference data, or several of them."""
    parts = ["predicate"] if entry.violated_when else []
    parts += [f"check {entry.check}"] if entry.check else []
    parts += [entry.served_by.by] if entry.served_by else []
    parts += [f"{', '.join(entry.reference.kinds)} ({entry.reference.loaded_by})"] if entry.reference else []
    return "; ".join(parts)


def _counts(row: dict[str, Any]) -> bool:
    return bool(row["violating_examples"] and row["complying_examples"])
