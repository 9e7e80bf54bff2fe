"""Decides how the events a hypothesis is tried on are shared among processes; their counts are joined in order.

Every process has its own connection and its own engine. A share is a part of one log: of its offsets, or, where
dossiers are read, of its persons, so that the facts about a person are read once and by whoever judges their events.
"""

from __future__ import annotations

import gc
import multiprocessing
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from multiprocessing.util import Finalize

from inzage.console.whatif.difference import Comparison
from inzage.console.whatif.evidence import PERSONS_HELD, Evidence, Extent, Scope, Share
from inzage.console.whatif.judging import Judging
from inzage.console.whatif.question import Question
from inzage.schemas.settings import Settings
from inzage.sinks.connection import open_clickhouse
from inzage.sinks.trail import Trail
from inzage.streams.screening.engine import engine

ANSWER_WITHIN = 300.0  # seconds
WORTH_PROCESSES = {True: 100_000, False: 3_000_000}
"""Events from which on it pays to start processes, each of which takes two seconds to begin: when all of them may be
concerned, and when words tell which, since few of them are then judged."""
COLLECTED_AFTER = 1_000_000
"""Objects after which Python looks for cycles: rows come by tens of thousands and never refer to one another."""
SHARES_A_PROCESS = 2
"""So that one who is done early takes over from one who is not."""


@dataclass(frozen=True, slots=True)
class Task:
    """One share, and about how many persons with a dossier are in it."""

    share: Share
    persons: int


@dataclass(frozen=True, slots=True)
class Means:
    """What every process needs to judge a share; of the events that differ, `limit` are shown."""

    settings: Settings
    question: Question
    scope: Scope
    limit: int


def compare(means: Means, evidence: Evidence, extents: Sequence[Extent], processes: int) -> Comparison:
    """Judge every event that the hypothesis may concern, in up to `processes` processes."""
    families = means.question.families
    persons = evidence.persons(families) if families else {}
    events = sum(extent.rows for extent in extents)
    alone = processes < 2 or events < WORTH_PROCESSES[not evidence.scope.words]
    todo = tasks(extents, persons, 1 if alone else processes * SHARES_A_PROCESS)
    found = Comparison.empty(means.limit)
    if alone:
        with _seldom_collected():
            judging = Judging(means.question, means.limit)
            for task in todo:
                found.join(judging.judge(evidence, task.share, task.persons))
        return found
    context = multiprocessing.get_context("spawn")
    workers = min(processes, len(todo))
    with ProcessPoolExecutor(workers, context, initializer=_begin, initargs=(means,)) as pool:
        pending = [pool.submit(_judge, task) for task in todo]
        try:
            for future in pending:
                found.join(future.result())
        finally:
            for future in pending:
                future.cancel()
            for process in multiprocessing.active_children() if not all(one.done() for one in pending) else ():
                process.terminate()
    return found


def tasks(extents: Sequence[Extent], persons: dict[str, int], shares: int) -> list[Task]:
    """The events of all logs in about so many shares; none has more persons than one process holds at a time."""
    each = max(1, -(-sum(extent.rows for extent in extents) // shares))
    made = []
    for extent in extents:
        log_id, first, last = extent.log_id, extent.first, extent.last
        known = persons.get(log_id, 0)
        parts = max(1, round(extent.rows / each), -(-known // PERSONS_HELD))
        if known:
            buckets = [Share(log_id, first, last, bucket, parts) for bucket in range(parts)]
            made += [Task(share, -(-known // parts)) for share in buckets]
        else:
            width = -(-(last - first + 1) // parts)
            begins = range(first, last + 1, width)
            made += [Task(Share(log_id, begin, min(last, begin + width - 1)), 0) for begin in begins]
    return made


@contextmanager
def _seldom_collected() -> Iterator[None]:
    before = gc.get_threshold()
    gc.set_threshold(COLLECTED_AFTER)
    try:
        yield
    finally:
        gc.set_threshold(*before)


_means: Means | None = None
"""What a process of the pool was given."""


def _begin(means: Means) -> None:
    """In a process of the pool: an interrupt is the business of the one that shares out the work."""
    global _means
    _means = means
    gc.set_threshold(COLLECTED_AFTER)
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _judge(task: Task) -> Comparison:
    judging, evidence = _opened()
    return judging.judge(evidence, task.share, task.persons)


@cache
def _opened() -> tuple[Judging, Evidence]:
    """The engine and the connection of this process, closed when it ends: `atexit` is not heard there."""
    assert _means is not None
    Finalize(None, engine().close, exitpriority=10)
    clickhouse = _means.settings.clickhouse
    client = open_clickhouse(clickhouse, answer_within=ANSWER_WITHIN)
    return Judging(_means.question, _means.limit), Evidence(Trail(client, clickhouse.database), _means.scope)
