"""`inzage ledger-vectors`: runs proofs made elsewhere against the ledger."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from inzage.console.output import EXIT_FINDINGS, Output, OutputOption, show_object, show_rows

app = typer.Typer(help="Run Merkle proofs made elsewhere against the ledger.")


@app.command()
def ledger_vectors(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="folder of JSON cases; subfolders are read too")],
    output: OutputOption = Output.TABLE,
) -> None:
    """Run every case below DIR and print how many passed and failed. Exit 1 when one failed."""
    from inzage.sinks.ledger.vectors import run_vectors

    ran = list(run_vectors(folder))
    failed = [case for case in ran if not case.passed]
    rows = [
        {
            "file": case.file,
            "wanted": "an error" if case.wanted_error else "no error",
            "found": case.found or "it holds",
        }
        for case in failed
    ]
    counts = {"passed": len(ran) - len(failed), "failed": len(failed)}
    if output is Output.TABLE:
        if rows:
            show_rows(rows, ("file", "wanted", "found"), output)
        show_object(counts, output)
    else:
        show_object({**counts, "failures": rows}, output)
    raise typer.Exit(EXIT_FINDINGS if failed else 0)
