"""`inzage demo`: performs the whole path once, on a stack of its own, and shows what was found."""

from __future__ import annotations

import os
import signal
import tempfile
import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from inzage.console.output import EXIT_FINDINGS, Output, OutputOption, say

if TYPE_CHECKING:
    from inzage.console.demonstration.outcome import Outcome
    from inzage.schemas.errors import InzageError

app = typer.Typer(help="Run the whole path once on real and generated events and show what was found.")

PARTITIONS = 4
"""Of every topic about persons: one worker and one sink serve all, so more would only make batches thin."""

_INTERRUPTED = 130
_OWN_AUDIT_EVENTS = Path("tests/data")


@app.command()
def demo(
    events: Annotated[int, typer.Option(min=300, help="generated events")] = 200_000,
    seed: Annotated[int, typer.Option(help="the same seed tells the same month")] = 2026,
    keep: Annotated[bool, typer.Option("--keep", help="keep the data directory")] = False,
    data: Annotated[Path | None, typer.Option(help="data directory, kept; none: a temporary one")] = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Import AuditEvents, emit a month at a health insurer with planted violations, and compare what was found.

    AuditEvents are those of the folder INZAGE_REAL_INPUT, by default ../shared/real-input, else of tests/data.
    At the end the trail is verified, and a copy of it with one byte changed. Exit 1 when a planted violation was
    missed, something innocent fired, the trail is not complete, or the change was not found.
    """
    with ExitStack() as stack:
        if data is None and not keep:
            directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="inzage-demo-")))
        else:
            directory = data.absolute() if data else Path(tempfile.mkdtemp(prefix="inzage-demo-"))
        code = _perform(directory, events, seed, output)
    if directory.exists():
        say(f"the data stay: INZAGE_KAFKA__PARTITIONS={PARTITIONS} inzage up --data {directory}")
    raise typer.Exit(code)


def _perform(directory: Path, events: int, seed: int, output: Output) -> int:
    from inzage.console.demonstration.month import Month
    from inzage.console.demonstration.performance import Performance
    from inzage.console.demonstration.report import show
    from inzage.console.demonstration.tampering import tamper_with_a_copy
    from inzage.console.stack import compose
    from inzage.deploy.local.supervisor import Supervisor
    from inzage.schemas.errors import InzageError
    from inzage.schemas.settings import load_settings

    settings = load_settings()
    settings.kafka.partitions = PARTITIONS
    stack = compose(settings, directory)
    performance = Performance(stack, Month(seed, events), audit_events(), say)
    supervisor = Supervisor(stack.services, directory, say=say)
    ended: list[Outcome | InzageError] = []

    def perform() -> None:
        try:
            ended.append(performance.run())
        except InzageError as error:
            ended.append(error)
        finally:
            supervisor.stop()

    def begin() -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, _also(performance.stopped, signal.getsignal(number)))
        threading.Thread(target=perform, daemon=True).start()

    supervisor.run(on_ready=begin)
    if performance.stopped.is_set() or not ended:
        say("interrupted")
        return _INTERRUPTED
    if isinstance(ended[0], InzageError):
        raise ended[0]
    outcome = replace(ended[0], tampering=tamper_with_a_copy(directory, stack.settings, say))
    show(outcome, output)
    return 0 if outcome.held else EXIT_FINDINGS


def _also(stopped: threading.Event, before: Any) -> Callable[[int, FrameType | None], None]:
    """A signal's handler that ends the performance first, so that what then fails is not taken for its outcome."""

    def handle(number: int, frame: FrameType | None) -> None:
        stopped.set()
        if callable(before):
            before(number, frame)

    return handle


def audit_events() -> tuple[Path, ...]:
    """The files with AuditEvents to import; none when neither folder is there."""
    real = Path(os.environ.get("INZAGE_REAL_INPUT", "../shared/real-input"))
    found = real.glob("*") if real.is_dir() else _OWN_AUDIT_EVENTS.glob("auditevents-*")
    return tuple(sorted(file for file in found if file.suffix in (".json", ".ndjson")))
