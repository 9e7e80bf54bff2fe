"""Decides how the examination of many logs is shared among processes: one log is one task, its findings come back.

Every process has its own connection and its own engine; nothing is shared but what is told.
"""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from queue import Empty
from typing import Any

from inzage.schemas.errors import TransientError
from inzage.schemas.settings import Settings
from inzage.sinks.connection import open_clickhouse
from inzage.sinks.verification.columns import ColumnCheck
from inzage.sinks.verification.decoder import Decoder
from inzage.sinks.verification.examination import Examination, LogReport, Step
from inzage.sinks.verification.expected import sealed_schemas
from inzage.sinks.verification.kafka_records import KafkaRecords
from inzage.sinks.verification.kept import Extent
from inzage.sinks.verification.meta_log import LogEvidence
from inzage.sinks.verification.state import Reached, Seen
from inzage.sinks.verification.trail_rows import TrailRows

ANSWER_WITHIN = 300.0  # seconds
WORTH_PROCESSES = 200_000
"""Rows from which on it pays to start processes: each takes a second or two to begin."""

OnStep = Callable[[Step], None]


@dataclass(frozen=True, slots=True)
class Task:
    """One log to examine; `extents` may be empty where no row is left."""

    extents: Sequence[Extent]
    evidence: LogEvidence
    seen: Seen | None
    reached: Reached | None


@dataclass(frozen=True, slots=True)
class Means:
    """What every process opens for itself. `columns`: whether typed columns are compared."""

    settings: Settings
    columns: bool
    kafka: bool
    late: datetime


def examine(means: Means, tasks: Sequence[Task], jobs: int, on_step: OnStep) -> Iterator[LogReport]:
    """Examine each log, in up to `jobs` processes; `on_step` is told of progress, in this process."""
    rows = sum(extent.rows for task in tasks for extent in task.extents)
    if jobs < 2 or len(tasks) < 2 or rows < WORTH_PROCESSES:
        with ExitStack() as stack:
            opened = _Opened(means, stack)
            for task in tasks:
                yield opened.examine(task, on_step)
        return
    context = multiprocessing.get_context("spawn")
    steps = context.Queue()
    with ProcessPoolExecutor(min(jobs, len(tasks)), context, initializer=_begin, initargs=(steps,)) as pool:
        largest_first = sorted(tasks, key=lambda task: -sum(extent.rows for extent in task.extents))
        pending = {pool.submit(_in_process, means, task) for task in largest_first}
        try:
            while pending:
                _tell(steps, on_step)
                for done in [future for future in pending if future.done()]:
                    pending.remove(done)
                    yield done.result()
        finally:
            for future in pending:
                future.cancel()
            for process in multiprocessing.active_children() if pending else ():
                process.terminate()


def _tell(steps: Any, on_step: OnStep) -> None:
    """Wait a little for a step, and tell all that are there."""
    try:
        on_step(steps.get(timeout=0.2))
        while True:
            on_step(steps.get_nowait())
    except Empty:
        return


_steps: Any = None
"""Where a process of the pool tells its steps."""


def _begin(steps: Any) -> None:
    """In a process of the pool: an interrupt is the business of the one that shares out the work."""
    global _steps
    _steps = steps
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _in_process(means: Means, task: Task) -> LogReport:
    with ExitStack() as stack:
        return _Opened(means, stack).examine(task, _steps.put)


class _Opened:
    """What one process has open."""

    def __init__(self, means: Means, stack: ExitStack) -> None:
        settings = means.settings
        client = open_clickhouse(settings.clickhouse, answer_within=ANSWER_WITHIN)
        self._rows = TrailRows(client, settings.clickhouse.database)
        stack.callback(self._rows.close)
        self._means = means
        self._columns: ColumnCheck | None = None
        if means.columns:
            decoder = Decoder.open()
            if decoder:
                stack.callback(decoder.close)
            self._columns = ColumnCheck(self._rows, sealed_schemas(self._rows.schema_texts()), decoder)
        self._records: KafkaRecords | None = None

    def examine(self, task: Task, on_step: OnStep) -> LogReport:
        examination = Examination(
            self._rows,
            task.extents,
            task.evidence,
            self._columns,
            seen=task.seen,
            reached=task.reached,
            original=self._original,
            late=self._means.late,
        )
        for step in examination.run():
            on_step(step)
        return examination.report

    def _original(self, log: str, first: int, end: int) -> Sequence[bytes] | None:
        """Kafka's leaf hashes, asked only where something did not fit."""
        if not self._means.kafka:
            return None
        try:
            self._records = self._records or KafkaRecords(self._means.settings.kafka)
            return self._records.leaf_hashes(log, first, end)
        except TransientError:
            return None  # the trail is judged without it
