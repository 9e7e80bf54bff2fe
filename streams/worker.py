"""Decides, as a process: reads events by partition batches, judges them, publishes, and only then is a batch done.

The order holds the promise that nothing is lost and nothing counts twice: dossiers and counters are acknowledged,
then verdicts, violations, dead letters and the report, then the offset is committed. So whoever sees the report may
rely on the counters; dossiers ahead of the offset do no harm. A batch that comes again yields the same ids. Any error
that is not about one record ends the process with exit code 70, and the batch comes again.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, get_args

from kafka.admin import KafkaAdminClient

from inzage.schemas.codec import RecordName
from inzage.schemas.emitter.message import schema_message
from inzage.schemas.errors import ConfigError
from inzage.schemas.kafka_clients import for_kafka_python
from inzage.schemas.registered import RegisteredSchemas, configured_schemas
from inzage.schemas.settings import Settings
from inzage.schemas.topics import ControllerTopics
from inzage.streams.collection import collect_seldom
from inzage.streams.dossier.law import law
from inzage.streams.dossier.references import References
from inzage.streams.measures import Measures
from inzage.streams.outgoing import decisions, state
from inzage.streams.partition import load_dossiers, load_recent
from inzage.streams.reference_feed import ReferenceFeed
from inzage.streams.screening.engine import Controller, engine
from inzage.streams.screening.pack import policies_of
from inzage.streams.screening.record import Place
from inzage.streams.screening.screener import Screener
from inzage.streams.transport.app import BatchApp
from inzage.streams.transport.batch import RecordBatch
from inzage.streams.transport.publisher import BatchPublisher, OutgoingRecord
from inzage.streams.transport.settings import BatchSettings

GROUP = "inzage-screening"


@dataclass(slots=True)
class Worker:
    """The screening of all controllers of an installation. `run` ends with the process."""

    settings: Settings
    batch: BatchSettings = field(default_factory=BatchSettings)
    group: str = GROUP
    measures: Measures = field(default_factory=Measures)
    _controllers: dict[str, Controller] = field(default_factory=dict)
    _topic_ids: dict[str, str] = field(default_factory=dict)
    _screeners: dict[tuple[str, int], tuple[int, Screener]] = field(default_factory=dict)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    _feed: ReferenceFeed | None = None
    _publisher: BatchPublisher | None = None
    _registered: RegisteredSchemas | None = None
    _thread: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "judge"))

    def run(self) -> None:
        """Judge until stopped; raises `ConfigError` for packs, topics or settings that cannot be right."""
        for controller_id in self.settings.controllers:
            policies = policies_of(controller_id.upper(), self.settings.packs_dir)
            self._controllers[controller_id] = engine().add(policies)
        engine().restrict()
        for controller in self._controllers.values():
            _ = controller.direct  # compiled now: the first lone event does not wait for it
        collect_seldom()
        self._registered = configured_schemas(self.settings.schema_registry)
        self._topic_ids = _topic_ids(self.settings)
        app = BatchApp(self.group, kafka=self.settings.kafka, batch=self.batch)
        for controller_id in self.settings.controllers:
            self._listen(app, controller_id)
        self.measures.watch(app)
        app.on_before_shutdown.connect(self._stop)
        app.run()

    async def _stop(self, app: BatchApp, **_: Any) -> None:
        """Let go of the clients that are not Faust's own."""
        if self._feed is not None:
            await self._feed.__aexit__(None, None, None)
        if self._publisher is not None:
            await self._publisher.stop()

    def _listen(self, app: BatchApp, controller_id: str) -> None:
        topics = ControllerTopics(controller_id)
        if topics.events not in self._topic_ids:
            raise ConfigError(
                f"there is no topic {topics.events}", hint="create it: inzage topics", code="config.topic"
            )

        async def judge(batch: RecordBatch) -> None:
            await self._judge(controller_id, topics, batch)

        app.batch_agent(topics.events)(judge)

    async def _judge(self, controller_id: str, topics: ControllerTopics, batch: RecordBatch) -> None:
        async with self._turn:  # agents of several controllers share the followers
            feed, publisher = await self._started()
            await feed.catch_up()
            await feed.know(record.value for record in batch.records)
            screener = await self._screener(controller_id, topics, batch)
        with self.measures.batch(controller_id, len(batch)):
            loop = asyncio.get_running_loop()
            outcome = await loop.run_in_executor(self._thread, screener.screen, batch.records)
            await publisher.publish(state(topics, outcome, batch.partition))
            await publisher.publish(decisions(topics, outcome))
        self.measures.found(controller_id, outcome)

    async def _started(self) -> tuple[ReferenceFeed, BatchPublisher]:
        """Connect when the first batch comes: the clients belong to the loop the app runs on."""
        if self._feed is None or self._publisher is None:
            references = {
                controller_id: References(controller_id.upper(), law(), controller.policies.settings)
                for controller_id, controller in self._controllers.items()
            }
            self._publisher = BatchPublisher(self.settings.kafka)
            await self._publisher.start()
            await self._publisher.publish(_schemas())
            self._feed = await ReferenceFeed(
                self.settings.kafka, references, self._registered, self._publisher.publish
            ).__aenter__()
        return self._feed, self._publisher

    async def _screener(self, controller_id: str, topics: ControllerTopics, batch: RecordBatch) -> Screener:
        """The screening of the batch's partition, its state loaded anew when it was assigned anew."""
        assert self._feed is not None
        kept = self._screeners.get((batch.topic, batch.partition))
        if kept is not None and kept[0] == batch.incarnation:
            return kept[1]
        self._forget_former(controller_id, batch)
        kafka = self.settings.kafka
        screener = Screener(
            engine(),
            self._controllers[controller_id],
            self._feed.references[controller_id],
            Place(batch.topic, self._topic_ids[batch.topic], batch.partition),
            self._feed.schemas,
            await load_dossiers(kafka, topics, batch.partition, self.settings.dossiers_open),
            await load_recent(kafka, topics, batch.partition, batch.first_offset, self._feed.schemas),
        )
        self._screeners[batch.topic, batch.partition] = (batch.incarnation, screener)
        return screener

    def _forget_former(self, controller_id: str, batch: RecordBatch) -> None:
        """Let go of the controller's partitions as they were assigned before: some are another worker's now."""
        former = [
            (topic, partition)
            for (topic, partition), (incarnation, _) in self._screeners.items()
            if topic == batch.topic and incarnation != batch.incarnation
        ]
        for place in former:
            del self._screeners[place]
        if former:
            engine().forget_persons(self._controllers[controller_id])


def _topic_ids(settings: Settings) -> dict[str, str]:
    """Kafka's id of every topic: a topic that was deleted and made anew has another, and so other verdict ids."""
    admin = KafkaAdminClient(**for_kafka_python(settings.kafka))
    try:
        described: list[dict[str, Any]] = admin.describe_topics()
        return {topic["name"]: str(topic["topic_id"]) for topic in described}
    finally:
        admin.close()


def _schemas() -> list[OutgoingRecord]:
    """The schemas this process writes with, for the schemas topic."""
    messages = [schema_message(name) for name in get_args(RecordName)]
    return [OutgoingRecord(message.topic, message.key, message.value) for message in messages]
