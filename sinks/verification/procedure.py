"""Decides in which order a trail is verified, and when it is believed: keys, meta log, logs, columns, counts.

The verifier's state is replaced only by a run that found nothing wrong; a run that is interrupted leaves in it how
far it came.
"""

from __future__ import annotations

import hashlib
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from pathlib import Path

from inzage.schemas.errors import ConfigError
from inzage.schemas.settings import Settings
from inzage.schemas.topics import CHECKPOINTS
from inzage.sinks.connection import open_clickhouse
from inzage.sinks.ledger.note import Verifier
from inzage.sinks.ledger.tree import TILE_WIDTH
from inzage.sinks.verification.archive import read_archive
from inzage.sinks.verification.attested import Trusted, judge_attestations
from inzage.sinks.verification.columns import ColumnCheck
from inzage.sinks.verification.evidence import Told
from inzage.sinks.verification.examination import LogReport, Step, unsealed_log
from inzage.sinks.verification.expected import SCHEMAS_TABLE, sealed_schemas
from inzage.sinks.verification.finding import Finding, Severity, Verdict, in_order, tamper
from inzage.sinks.verification.kafka_records import KafkaRecords
from inzage.sinks.verification.kept import Extent
from inzage.sinks.verification.meta_log import ABSENT_FOR, LogEvidence, MetaLog, judge_meta_logs
from inzage.sinks.verification.plain_rows import examine_unsealed
from inzage.sinks.verification.schema_statements import contradictions
from inzage.sinks.verification.selection import Selection, draw
from inzage.sinks.verification.state import Reached, VerifierState
from inzage.sinks.verification.statement import Signatures
from inzage.sinks.verification.trail_rows import TrailRows
from inzage.sinks.verification.workers import ANSWER_WITHIN, Means, Task, examine

_SAVE_EVERY = 5.0  # seconds between two notes of how far an unfinished run came


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be verified, and whom it is believed to be signed by.

    `archive`: a folder or `s3://bucket/prefix`; it and `state` None: without. `log`: an origin or a topic's name,
    with wildcards. `first` to `last`: leaf indexes, both included. `sample`: so many rows at random, the same for
    the same `seed`.
    """

    keys: tuple[Verifier, ...]
    archive: Path | str | None = None
    state: Path | None = None
    kafka: bool = False
    log: str = "*"
    columns: bool = True
    first: int | None = None
    last: int | None = None
    sample: int | None = None
    seed: int = 0
    trusted: Trusted = field(default_factory=Trusted)
    absent_for: timedelta = ABSENT_FOR
    jobs: int = 1

    @property
    def whole(self) -> bool:
        """Whether every row is verified, and not a choice of them."""
        return self.first is None and self.last is None and self.sample is None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run came: rows of `total`."""

    rows: int
    total: int


OnProgress = Callable[[Progress], None]


def verify(settings: Settings, request: Request, on_progress: OnProgress = lambda progress: None) -> Verdict:
    """Verify the trail; raises `ConfigError` and `TransientError` where it cannot be begun or gone on with."""
    if not request.keys:
        raise ConfigError("no key to verify with", code="config.key", hint="--key takes the sealer's verifier key")
    rows = TrailRows(open_clickhouse(settings.clickhouse, answer_within=ANSWER_WITHIN), settings.clickhouse.database)
    try:
        return _Run(settings, request, rows, on_progress).verdict()
    finally:
        rows.close()


class _Run:
    def __init__(self, settings: Settings, request: Request, rows: TrailRows, on_progress: OnProgress) -> None:
        self._settings, self._request, self._rows, self._on_progress = settings, request, rows, on_progress
        self._now = datetime.now(UTC)
        self._state = VerifierState.read(request.state) if request.state else VerifierState()
        self._findings: list[Finding] = []

    def verdict(self) -> Verdict:
        """The whole procedure."""
        told = self._told()
        metas = judge_meta_logs(
            told, Signatures(self._request.keys), self._state.seen, self._now, self._request.absent_for
        )
        for meta in metas:
            self._findings += meta.findings
            if self._request.trusted.anybody:
                said = [one for source in told for one in source.attestations]
                self._findings += judge_attestations(meta, said, self._request.trusted)
        extents = self._by_log()
        evidence = {origin: log for meta in metas for origin, log in meta.logs.items()}
        reports = self._logs(extents, evidence, metas)
        self._findings += self._contradictions(extents)
        self._findings += self._across(extents, evidence)
        verdict = Verdict(
            in_order(self._findings),
            len(reports),
            sum(report.leaves for report in reports),
            sum(report.decoded for report in reports),
            sum(meta.statements for meta in metas),
        )
        self._keep(verdict, metas, reports)
        return verdict

    def _told(self) -> list[Told]:
        told = [self._rows.told()]
        if self._request.archive:
            told.append(read_archive(self._request.archive))
        else:
            what = "no archive was given: what ClickHouse says was sealed is compared with nothing outside of it"
            self._findings.append(Finding(Severity.NOTE, "source.unused", "", what, source="archive"))
        if self._request.kafka:
            told.append(KafkaRecords(self._settings.kafka).told())
        self._findings += [finding for source in told for finding in source.findings]
        return told

    def _by_log(self) -> dict[str, list[Extent]]:
        by_log: dict[str, list[Extent]] = defaultdict(list)
        for extent in self._rows.extents():
            by_log[extent.log_id].append(extent)
        return dict(by_log)

    def _wanted(self, origin: str, extents: Sequence[Extent]) -> bool:
        names = {origin, *(extent.topic for extent in extents)}
        return any(fnmatchcase(name, self._request.log) for name in names)

    def _logs(
        self, extents: Mapping[str, list[Extent]], evidence: Mapping[str, LogEvidence], metas: Sequence[MetaLog]
    ) -> list[LogReport]:
        """Examine every log that was sealed, was seen before, or has rows."""
        own = {meta.origin for meta in metas}
        seen, run = self._state.seen, self._name(metas)
        reached = self._state.reached if self._state.run == run else {}
        self._state.run, self._state.reached = run, dict(reached)
        tasks = []
        for origin in sorted({*evidence, *extents, *seen} - own):
            held = extents.get(origin, [])
            if not self._wanted(origin, held):
                continue
            if origin not in evidence and origin not in seen:
                self._findings += self._unsealed(held)
                continue
            known = evidence.get(origin) or LogEvidence(origin, min((one.base for one in held), default=0))
            tasks.append(Task(held, known, seen.get(origin), reached.get(origin)))
        if not tasks and self._request.log != "*":
            raise ConfigError(f"--log: no log or topic is called {self._request.log}", code="config.log")
        return self._examine(tasks) if self._request.whole else self._select(tasks)

    def _select(self, tasks: Sequence[Task]) -> list[LogReport]:
        """Examine a choice of rows."""
        request = self._request
        spans = {task.evidence.origin: self._span(task) for task in tasks}
        if request.sample is not None:
            chosen = draw(spans, request.sample, request.seed)
        else:
            chosen = {origin: list(range(first, end)) for origin, (first, end) in spans.items() if end > first}
        total, done, reports = sum(map(len, chosen.values())), 0, []
        check = None
        if request.columns:
            check = ColumnCheck(self._rows, sealed_schemas(self._rows.schema_texts()), None)
        for task in tasks:
            selection = Selection(
                self._rows, task.extents, task.evidence, check, chosen.get(task.evidence.origin, ())
            )
            for step in selection.run():
                done += step.rows
                self._on_progress(Progress(done, total))
            reports.append(selection.report)
            self._findings += selection.report.findings
        return reports

    def _span(self, task: Task) -> tuple[int, int]:
        """The leaves of a log that are asked for and still there.

        Of the subtree that retention cut through, no row has a path of its own: only a whole run verifies those.
        """
        evidence, request = task.evidence, self._request
        low = -(-evidence.pruned.minimum_index // TILE_WIDTH) * TILE_WIDTH if evidence.pruned else 0
        end = evidence.size if request.last is None else min(request.last + 1, evidence.size)
        return max(low, request.first or 0), end

    def _examine(self, tasks: Sequence[Task]) -> list[LogReport]:
        settings, request = self._settings, self._request
        means = Means(settings, request.columns, request.kafka, self._now - request.absent_for)
        total = sum(task.evidence.size for task in tasks)
        done, saved = 0, time.monotonic()

        def on_step(step: Step) -> None:
            nonlocal done, saved
            done += step.rows
            if step.reached:
                self._state.reached[step.log] = step.reached
            self._on_progress(Progress(done, total))
            if request.state and time.monotonic() - saved > _SAVE_EVERY:
                self._state.write(request.state)
                saved = time.monotonic()

        reports = []
        try:
            for report in examine(means, tasks, request.jobs, on_step):
                reports.append(report)
                self._findings += report.findings
        except KeyboardInterrupt:
            if request.state:
                self._state.write(request.state)
            raise
        return reports

    def _unsealed(self, extents: Sequence[Extent]) -> Iterator[Finding]:
        """A log that no checkpoint speaks of."""
        if all(extent.topic == CHECKPOINTS for extent in extents):
            columns = None
            if self._request.columns:
                columns = ColumnCheck(self._rows, sealed_schemas(self._rows.schema_texts()), None)
            yield from examine_unsealed(self._rows, extents, columns)
        else:
            yield unsealed_log(extents)

    def _contradictions(self, extents: Mapping[str, list[Extent]]) -> Iterator[Finding]:
        """What the logs of schemas that are asked for say of one registry id and said otherwise before."""
        statements = self._rows.schema_statements() if SCHEMAS_TABLE in self._rows.tables else ()
        for finding in contradictions(statements):
            if self._wanted(finding.log, extents.get(finding.log, ())):
                yield finding

    def _across(self, extents: Mapping[str, list[Extent]], evidence: Mapping[str, LogEvidence]) -> Iterator[Finding]:
        """What shows only when logs are seen together."""
        if self._request.log != "*":
            return
        yield from self._recreated(extents)
        pruned = {one.topic for origin, held in extents.items() for one in held if _pruned(evidence.get(origin))}
        for topic, instance, first, last in self._rows.sequence_gaps():
            if first == 1 and topic in pruned:
                continue  # what a source said first was dropped by retention
            what = f"numbers of source {instance} stand in no row of {topic}: {first} to {last}"
            yield Finding(Severity.WARNING, "source.gap", topic, what, first, last)

    def _recreated(self, extents: Mapping[str, list[Extent]]) -> Iterator[Finding]:
        """Topics of one name that were made more than once."""
        ids: dict[str, set[str]] = defaultdict(set)
        for origin, held in extents.items():
            for extent in held:
                ids[extent.topic].add(origin.rpartition("/")[0])
        again = sorted(topic for topic, origins in ids.items() if len(origins) > 1 and topic != CHECKPOINTS)
        repeated = self._rows.repeated_events(again) if again else {}
        for topic in again:
            what = f"{topic} was made {len(ids[topic])} times: {', '.join(sorted(ids[topic]))}"
            yield Finding(Severity.WARNING, "log.recreated", topic, what)
            if topic in repeated:
                what = f"{repeated[topic]} events stand in more than one of the logs called {topic}"
                yield tamper("log.repeated", topic, what)

    def _name(self, metas: Sequence[MetaLog]) -> str:
        """What makes two runs the same: what is asked, and what is sealed."""
        parts = [str(self._request.columns), self._settings.clickhouse.url, self._settings.clickhouse.database]
        parts += [f"{meta.origin} {meta.seen.root.hex() if meta.seen else ''}" for meta in metas]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    def _keep(self, verdict: Verdict, metas: Sequence[MetaLog], reports: Sequence[LogReport]) -> None:
        """Remember what was accepted, of a run that found nothing wrong."""
        if self._request.state is None:
            return
        self._state.run, self._state.reached = "", dict[str, Reached]()
        if not verdict.tampered and verdict.complete and self._request.whole:
            self._state.seen |= {meta.origin: meta.seen for meta in metas if meta.seen}
            self._state.seen |= {report.origin: report.seen for report in reports if report.seen}
        self._state.write(self._request.state)


def _pruned(log: LogEvidence | None) -> bool:
    return log is not None and log.pruned is not None
