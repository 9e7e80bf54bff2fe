"""Decides, as a process: which late facts and references were learnt, and publishes the verdicts they supersede.

A consumer group of its own reads the topics of events, for facts, and of references. A batch waits until the trail
holds its log up to there and the screening has judged it, so that what is superseded stands. Superseding verdicts are
acknowledged, then the offset is committed: a batch that comes again yields the same ids. The process that has the
law's references also watches the clock. Any error ends it with exit code 70, and the supervisor begins again.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar

from inzage.console.checks.catalogue import CHECKS
from inzage.console.checks.rounds import run_checks
from inzage.console.revising.agenda import Agenda
from inzage.console.revising.late import LateLog, Revised
from inzage.console.revising.log_records import LogRecords, in_parts
from inzage.schemas.codec import current, decode
from inzage.schemas.errors import ContractError
from inzage.schemas.framing import SINGLE_OBJECT_BYTES
from inzage.schemas.registered import configured_schemas
from inzage.schemas.settings import Settings
from inzage.schemas.topics import LAW_REFERENCES, ControllerTopics
from inzage.sinks.connection import open_clickhouse
from inzage.sinks.logs import Cluster, Log, read_cluster, topics_of
from inzage.sinks.status import read_extents
from inzage.sinks.trail import Trail
from inzage.streams.dossier.law import law
from inzage.streams.dossier.references import References
from inzage.streams.dossier.remembered import may_be_remembered, remembered
from inzage.streams.outgoing import verdict_records
from inzage.streams.partition import CounterFeed
from inzage.streams.reference_feed import ReferenceFeed
from inzage.streams.screening.engine import Controller, engine
from inzage.streams.screening.pack import policies_of
from inzage.streams.transport.app import BatchApp
from inzage.streams.transport.batch import RecordBatch
from inzage.streams.transport.publisher import BatchPublisher
from inzage.streams.transport.settings import BatchSettings

GROUP = "inzage-revision"
ANSWER_WITHIN = 60.0  # seconds
LOOK_EVERY = 0.2  # seconds, while the trail is behind
SETTLED_AFTER = 2_000
"""Milliseconds after which no broker says an earlier time any more: clocks of brokers and of this machine differ."""
FOREVER = 1 << 62
PATIENT = BatchSettings(watchdog_age=900.0)
"""A batch waits for trail and screening."""

logger = logging.getLogger(__name__)
T = TypeVar("T")


@dataclass(slots=True)
class Reviser:
    """The revision of all controllers of an installation. `run` ends with the process."""

    settings: Settings
    batch: BatchSettings = PATIENT
    group: str = GROUP
    every: float = 60.0
    """Seconds between two looks at the clock."""
    _controllers: dict[str, Controller] = field(default_factory=dict)
    _logs: dict[tuple[str, int], LateLog] = field(default_factory=dict)
    _held_until: dict[str, int] = field(default_factory=dict)
    _agendas: dict[str, Agenda] = field(default_factory=dict)
    _looked: bool = False
    _cluster: Cluster | None = None
    _trail: Trail | None = None
    _app: BatchApp | None = None
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    _feed: ReferenceFeed | None = None
    _counters: dict[str, CounterFeed] = field(default_factory=dict)
    _publisher: BatchPublisher | None = None
    _thread: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "revise"))

    def run(self) -> None:
        """Revise until stopped; raises `ConfigError` for packs, topics or settings that cannot be right."""
        for controller_id in self.settings.controllers:
            policies = policies_of(controller_id.upper(), self.settings.packs_dir)
            self._controllers[controller_id] = engine().add(policies)
        engine().restrict()
        self._cluster = read_cluster(self.settings.kafka, topics_of(self.settings.controllers))
        client = open_clickhouse(self.settings.clickhouse, answer_within=ANSWER_WITHIN)
        self._trail = Trail(client, self.settings.clickhouse.database)
        self._app = app = BatchApp(self.group, kafka=self.settings.kafka, batch=self.batch)
        for controller_id in self.settings.controllers:
            self._listen(app, controller_id)
        app.batch_agent(LAW_REFERENCES)(self._of_law)
        app.task(self._watch_clock)
        app.on_before_shutdown.connect(self._stop)
        app.run()

    async def _stop(self, app: BatchApp, **_: Any) -> None:
        """Let go of the clients that are not Faust's own."""
        if self._feed is not None:
            await self._feed.__aexit__(None, None, None)
        for counters in self._counters.values():
            await counters.stop()
        if self._publisher is not None:
            await self._publisher.stop()

    def _listen(self, app: BatchApp, controller_id: str) -> None:
        topics = ControllerTopics(controller_id)

        async def facts(batch: RecordBatch) -> None:
            await self._of_facts(controller_id, batch)

        async def references(batch: RecordBatch) -> None:
            await self._of_references([controller_id], batch)

        app.batch_agent(topics.events)(facts)
        app.batch_agent(topics.references)(references)

    async def _of_law(self, batch: RecordBatch) -> None:
        await self._of_references(list(self._controllers), batch)

    async def _of_facts(self, controller_id: str, batch: RecordBatch) -> None:
        async with self._turn:
            feed = await self._started()
            await feed.catch_up()  # schemas in use
            await feed.know(record.value for record in batch.records)
        arrived = self._facts_in(batch)
        if not arrived:
            return
        late = self._late(controller_id, batch.partition)
        await self._settled(late, min(arrived), max(arrived))
        async with self._turn:
            await self._caught_up(controller_id)
            await self._publish(controller_id, late, late.of_facts(arrived))

    def _facts_in(self, batch: RecordBatch) -> dict[int, tuple[int, str]]:
        """Facts, and activities that amount to one: offset -> broker time and subject."""
        assert self._feed is not None
        plain = current("activity").header
        arrived = {}
        for record in batch.records:
            value = record.value
            if value is None or (
                value[:SINGLE_OBJECT_BYTES] == plain and not may_be_remembered(value[SINGLE_OBJECT_BYTES:])
            ):
                continue
            try:
                schema, said = decode(value, also=self._feed.schemas)
            except ContractError:
                continue  # a dead letter of the screening
            if schema.name == "activity" and (fact := remembered(said)):
                arrived[record.offset] = record.timestamp, fact["subject"]
            elif schema.name == "fact":
                arrived[record.offset] = record.timestamp, said["subject"]
        return arrived

    async def _of_references(self, controllers: Sequence[str], batch: RecordBatch) -> None:
        async with self._turn:
            feed = await self._started()
            await feed.catch_up()
            await feed.know(record.value for record in batch.records)
        facts = self._references_in(batch)
        if not facts:
            return
        clock = max(record.timestamp for record in batch.records)
        for controller_id in controllers:
            own = [fact for fact in facts if fact["controller_id"].upper() in (controller_id.upper(), "LAW")]
            for late, last in await self._ends(controller_id) if own else ():
                async with self._turn:
                    await self._caught_up(controller_id)
                    await self._publish(controller_id, late, late.of_references(own, clock, last))

    def _references_in(self, batch: RecordBatch) -> list[dict[str, Any]]:
        assert self._feed is not None
        facts = []
        for record in batch.records:
            try:
                schema, fact = decode(record.value, also=self._feed.schemas)
            except ContractError:
                continue
            if schema.name == "reference":
                facts.append(fact)
        return facts

    async def _ends(self, controller_id: str) -> list[tuple[LateLog, int]]:
        """Every log of events that holds something, and its last offset as of now; the trail has settled there."""
        logs = [late.records.log for late in self._late_logs(controller_id)]
        extents = await asyncio.to_thread(read_extents, self.settings.kafka, logs)
        ends = []
        for extent in extents:
            if extent.end > extent.begin:
                late = self._late(controller_id, extent.log.partition)
                await self._settled(late, extent.begin, extent.end - 1)
                ends.append((late, extent.end - 1))
        return ends

    # -- the clock --------------------------------------------------------------

    async def _watch_clock(self) -> None:
        app = self._app
        assert app is not None
        try:
            while not app.should_stop:
                if any(place.topic == LAW_REFERENCES for place in app.consumer.assignment()):
                    async with self._turn:
                        await self._started()
                    await self.tick(int(time.time() * 1000) - SETTLED_AFTER)
                await app.sleep(self.every)
        except Exception as error:
            await app.end_process(error)

    async def tick(self, clock: int) -> None:
        """Judge again what fell due since the last tick; at first, all that ever fell due and is not in the trail."""
        for controller_id in self._controllers:
            await self._tick(controller_id, clock)
            await self._check(controller_id, clock)
        self._looked = True

    async def _check(self, controller_id: str, clock: int) -> None:
        """Run every scheduled check, and publish what is new."""
        trail, policies, publisher = self._trail, self._controllers[controller_id].policies, self._publisher
        assert trail is not None and publisher is not None
        now = datetime.fromtimestamp(clock / 1000, UTC)
        reports = await self._in_thread(lambda: run_checks(trail, policies, CHECKS, now, self.settings.retention))
        for report in reports:
            await publisher.publish(verdict_records(ControllerTopics(controller_id), report.verdicts))
            if report.verdicts:
                logger.info("%d verdicts by %s", len(report.verdicts), report.check.name)

    async def _tick(self, controller_id: str, clock: int) -> None:
        agenda = self._agendas.setdefault(controller_id, Agenda())
        topic = topics_of([controller_id])[ControllerTopics(controller_id).events]
        assert self._cluster is not None and self._trail is not None
        topic_id = self._cluster.topics[topic.name][0]
        seen = {"logs": list(agenda.seen), "seen": list(agenda.seen.values())}
        agenda.read(await self._in_thread(lambda: self._select("deadlines", topic_id=topic_id, **seen)))
        # A fact said before this process began may have moved an instant: look at everything once.
        come = agenda.take(clock if self._looked else FOREVER)
        if not come:
            return
        for late, last in await self._ends(controller_id):
            offsets = sorted(come.get(late.records.log.partition, ()))
            for some in in_parts(offsets, 5_000):
                async with self._turn:
                    await self._caught_up(controller_id)
                    await self._publish(controller_id, late, late.of_clock(some, clock, last), only_new=True)

    # -- shared -----------------------------------------------------------------

    async def _publish(
        self, controller_id: str, late: LateLog, pages: Iterator[Revised], *, only_new: bool = False
    ) -> None:
        """Publish what each page led to; every record is acknowledged on return."""
        assert self._publisher is not None
        topics = ControllerTopics(controller_id)
        agenda = self._agendas.setdefault(controller_id, Agenda())
        while (revised := await self._in_thread(lambda: next(pages, None))) is not None:
            verdicts = revised.verdicts
            if only_new and verdicts:
                known = await self._in_thread(partial(self._known, topics, verdicts))
                verdicts = [verdict for verdict in verdicts if verdict["verdict_id"] not in known]
            await self._publisher.publish(verdict_records(topics, verdicts))
            for offset, instants in revised.due.items():
                agenda.add(late.records.log.partition, offset, instants)
            if verdicts:
                logger.info("%d verdicts superseded in %s", len(verdicts), late.records.log.id)

    def _known(self, topics: ControllerTopics, verdicts: Sequence[Mapping[str, Any]]) -> set[str]:
        """The ids of verdicts that the trail has."""
        known: set[str] = set()
        for some in in_parts([verdict["verdict_id"] for verdict in verdicts], 1_000):
            known |= {row[0] for row in self._select("known_verdicts", topic=topics.verdicts, identifiers=some)}
        return known

    def _select(self, query: str, **parameters: Any) -> list[tuple[Any, ...]]:
        assert self._trail is not None
        return self._trail.select(query, **parameters)

    async def _settled(self, late: LateLog, first: int, last: int) -> None:
        """Wait until the trail holds the log up to `last`, and the screening has judged it up to there."""
        log = late.records.log
        begin = self._held_until.get(log.id)
        if begin is None:
            (extent,) = await asyncio.to_thread(read_extents, self.settings.kafka, [log])
            begin = min(first, extent.begin)
        if begin > last:
            return
        while not await self._in_thread(partial(late.records.settled, begin, last)):  # noqa: ASYNC110 - it is asked
            await asyncio.sleep(LOOK_EVERY)
        self._held_until[log.id] = max(self._held_until.get(log.id, 0), last + 1)

    async def _started(self) -> ReferenceFeed:
        """Connect when the first batch comes: the clients belong to the loop the app runs on."""
        if self._feed is not None and self._publisher is not None:
            return self._feed
        references = {
            controller_id: References(controller_id.upper(), law(), controller.policies.settings)
            for controller_id, controller in self._controllers.items()
        }
        publisher = BatchPublisher(self.settings.kafka)
        await publisher.start()
        self._publisher = publisher
        registry = configured_schemas(self.settings.schema_registry)
        self._feed = await ReferenceFeed(self.settings.kafka, references, registry, publisher.publish).__aenter__()
        await self._feed.catch_up()
        for controller_id in self._controllers:
            self._counters[controller_id] = CounterFeed(self.settings.kafka, ControllerTopics(controller_id))
            await self._counters[controller_id].start()
        return self._feed

    async def _caught_up(self, controller_id: str) -> None:
        assert self._feed is not None
        await self._feed.catch_up()
        await self._counters[controller_id].catch_up()

    def _late_logs(self, controller_id: str) -> list[LateLog]:
        assert self._cluster is not None
        _, partitions = self._cluster.topics[ControllerTopics(controller_id).events]
        return [self._late(controller_id, partition) for partition in range(partitions)]

    def _late(self, controller_id: str, partition: int) -> LateLog:
        assert self._cluster is not None and self._trail is not None and self._feed is not None
        topic = topics_of([controller_id])[ControllerTopics(controller_id).events]
        if (topic.name, partition) not in self._logs:
            log: Log = self._cluster.log(topic, partition)
            self._logs[topic.name, partition] = LateLog(
                engine(),
                self._controllers[controller_id],
                self._feed.references[controller_id],
                self._feed.schemas,
                LogRecords(self._trail, log),
                self._counters[controller_id].of(partition),
            )
        return self._logs[topic.name, partition]

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)
