"""`inzage verify`: recomputes the whole trail and says whether it is what was sealed."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from inzage.console.output import EXIT_FINDINGS, EXIT_USAGE, Output, OutputOption, say, show_object, show_rows, stderr
from inzage.schemas.settings import Settings, load_settings

if TYPE_CHECKING:
    from inzage.sinks.ledger.note import Verifier
    from inzage.sinks.verification.attested import Trusted
    from inzage.sinks.verification.finding import Finding, Verdict
    from inzage.sinks.verification.procedure import Request

app = typer.Typer(help="Recompute the trail and say whether it is what was sealed.")

_COLUMNS = ("severity", "code", "log", "first", "last", "table", "column", "source", "what")
_INTERRUPTED = 130


@app.command()
def verify(
    log: Annotated[str, typer.Option(help="origin of a log or name of a topic; * and ? stand for anything")] = "*",
    first: Annotated[int | None, typer.Option("--from", min=0, help="leaf index to begin at")] = None,
    last: Annotated[int | None, typer.Option("--to", min=0, help="leaf index to end at, included")] = None,
    sample: Annotated[int | None, typer.Option(min=1, help="so many rows at random instead of all")] = None,
    seed: Annotated[int, typer.Option(help="the same seed draws the same rows")] = 0,
    state: Annotated[Path | None, typer.Option(help="what this verifier accepted before")] = None,
    no_state: Annotated[
        bool, typer.Option("--no-state", help="compare with nothing before, remember nothing")
    ] = False,
    key: Annotated[list[str] | None, typer.Option(help="the sealer's verifier key, or a file of keys")] = None,
    archive: Annotated[str | None, typer.Option(help="archive of rounds: a folder, or s3://bucket/prefix")] = None,
    no_archive: Annotated[bool, typer.Option("--no-archive", help="look at no archive")] = False,
    kafka: Annotated[bool, typer.Option("--kafka", help="ask Kafka too: it names changed rows exactly")] = False,
    witness_key: Annotated[
        list[str] | None, typer.Option(help="verifier key of a witness, or a file of them")
    ] = None,
    quorum: Annotated[int | None, typer.Option(min=1, help="witnesses it takes; not stated: all of them")] = None,
    tsa_cert: Annotated[
        list[Path] | None, typer.Option(help="root certificates of a time-stamp authority, PEM")
    ] = None,
    columns: Annotated[bool, typer.Option(help="compare typed columns with the raw bytes")] = True,
    late_after: Annotated[float, typer.Option(min=0, help="minutes after which what is behind is missing")] = 15.0,
    jobs: Annotated[int | None, typer.Option(min=1, help="processes; not stated: one for each core")] = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Recompute every leaf, root and column of the trail, and compare with what was signed.

    Exit 0 when it is what was sealed, 1 when something was tampered with, 2 when it could not be verified. Warnings
    and notes do not change the exit code. An interrupted run goes on where it was.
    """
    import os
    from datetime import timedelta

    from inzage.sinks.verification.procedure import Request

    settings = load_settings()
    request = Request(
        keys=_keys(settings, key),
        archive=None if no_archive else _archive(settings, archive),
        state=None if no_state else state or settings.data_dir / "verifier" / "state.json",
        kafka=kafka,
        log=log,
        columns=columns,
        first=first,
        last=last,
        sample=sample,
        seed=seed,
        trusted=_trusted(witness_key or [], quorum, tsa_cert or []),
        absent_for=timedelta(minutes=late_after),
        jobs=jobs or os.cpu_count() or 1,
    )
    try:
        verdict = _verify(settings, request)
    except KeyboardInterrupt:
        say("interrupted" + ("" if no_state else "; the same command goes on from here"))
        raise typer.Exit(_INTERRUPTED) from None
    _show(verdict, output)
    raise typer.Exit(EXIT_FINDINGS if verdict.tampered else 0 if verdict.complete else EXIT_USAGE)


def _verify(settings: Settings, request: Request) -> Verdict:
    """Verify, with a progress bar where somebody is looking."""
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    from inzage.sinks.verification.procedure import Progress, verify

    shown = (TextColumn("verifying"), BarColumn(), MofNCompleteColumn(), TextColumn("rows"), TimeRemainingColumn())
    with Bar(*shown, console=stderr, transient=True, disable=not stderr.is_terminal) as bar:
        task = bar.add_task("verifying", total=None)

        def on_progress(progress: Progress) -> None:
            bar.update(task, completed=progress.rows, total=progress.total)

        return verify(settings, request, on_progress)


def _keys(settings: Settings, given: list[str] | None) -> tuple[Verifier, ...]:
    """The keys to believe: those given, those of the settings, else the one that lies beside the sealer's."""
    from inzage.schemas.errors import ConfigError
    from inzage.sinks.ledger.note import Verifier
    from inzage.sinks.ledger.signing_key import PUBLIC_SUFFIX, read_verifiers

    if given:
        return _verifiers(given)
    if settings.sealing.trusted_keys:
        return tuple(map(Verifier.read, settings.sealing.trusted_keys))
    private = settings.sealing.key_file or settings.data_dir / "sealer" / "key"
    found = private.with_name(private.name + PUBLIC_SUFFIX)
    if not found.exists():
        hint = "--key takes the sealer's verifier key, as it was handed over"
        raise ConfigError("no key to verify with", code="config.key", hint=hint)
    keys = read_verifiers(found)
    say(
        f"[yellow]no key was given[/yellow]: {found} was found on this machine. Whoever can change the trail may have"
        " put it there; --key takes one that was handed over"
    )
    return keys


def _verifiers(given: list[str]) -> tuple[Verifier, ...]:
    """Keys from texts and files of them."""
    from inzage.sinks.ledger.note import Verifier
    from inzage.sinks.ledger.signing_key import read_verifiers

    found: list[Verifier] = []
    for one in given:
        found += read_verifiers(Path(one)) if "+" not in one or Path(one).is_file() else [Verifier.read(one)]
    return tuple(found)


def _archive(settings: Settings, given: str | None) -> Path | str | None:
    from inzage.sinks.verification.bucket import is_bucket

    stated = given or settings.sealing.archive
    if stated and (given or is_bucket(stated)):
        return stated
    folder = Path(stated) if stated else settings.data_dir / "archive"
    return folder if folder.is_dir() else None


def _trusted(witnesses: list[str], quorum: int | None, certificates: list[Path]) -> Trusted:
    from inzage.schemas.errors import ConfigError
    from inzage.sinks.verification.attested import Trusted
    from inzage.sinks.witness.attestations import read_certificates

    keys = _verifiers(witnesses)
    if quorum and quorum > len(keys):
        raise ConfigError(f"--quorum {quorum} of {len(keys)} witnesses cannot be reached", code="config.quorum")
    roots = tuple(root for path in certificates for root in read_certificates(path))
    return Trusted(keys, quorum or len(keys), roots)


def _show(verdict: Verdict, output: Output) -> None:
    rows = [_row(finding) for finding in verdict.findings]
    counts = {
        "logs": verdict.logs,
        "leaves": verdict.leaves,
        "decoded": verdict.decoded,
        "statements": verdict.checkpoints,
    }
    word = "tampered" if verdict.tampered else "valid" if verdict.complete else "could not be verified"
    if output is Output.JSON:
        show_object({"verdict": word, **counts, "findings": rows}, output)
    elif output is Output.JSONL or rows:
        show_rows(rows, _COLUMNS, output)
    colour = "green" if word == "valid" else "red"
    say(
        f"[{colour}]{word}[/{colour}]: {counts['leaves']} rows of {counts['logs']} logs hashed, {counts['decoded']}"
        f" decoded, {counts['statements']} statements of the sealer, {len(rows)} findings"
    )


def _row(finding: Finding) -> dict[str, object]:
    return {**asdict(finding), "severity": finding.severity.value}
