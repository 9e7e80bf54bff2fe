"""Runs the sink against a real broker and a real endpoint, on topics and a database of one test's own."""

from __future__ import annotations

import asyncio
import json
import random
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from clickhouse_connect.driver.client import Client
from kafka import KafkaProducer
from kafka.admin import KafkaAdminClient, OffsetSpec
from kafka.structs import TopicPartition

from inzage.deploy.local.clickhouse.endpoint import Endpoint
from inzage.deploy.local.kafka import Broker
from inzage.deploy.local.topics import ensure_topics
from inzage.schemas import codec, json_face
from inzage.schemas.settings import Settings
from inzage.schemas.topics import CHECKPOINTS, LAW_REFERENCES, PRUNING_REQUESTS, SCHEMAS, ControllerTopics
from inzage.sinks.connection import open_clickhouse
from inzage.sinks.intake import Pace
from inzage.sinks.ledger.compact_range import CompactRange
from inzage.sinks.logs import Cluster, Topic, read_cluster, topics_of
from inzage.sinks.migrations import migrate
from inzage.sinks.sealing.process import open_sealer
from inzage.sinks.sealing.sealer import Sealer
from inzage.sinks.sink import Sink
from inzage.sinks.status import read_extents
from inzage.sinks.trail import Trail

QUICK = Pace(block_rows=200, linger=0.1, session_timeout=3.0, insert_within=2.0, drain_within=2.5)
BEGINNING = datetime(2026, 3, 1, tzinfo=UTC)


def activity(number: int, controller: str, **said: Any) -> dict[str, Any]:
    """A disclosure as the codec takes it; the same number gives the same."""
    at = BEGINNING + timedelta(seconds=number)
    face = {
        "event_id": f"event-{number}",
        "event_type": "DisclosureEvent",
        "occurred_at": at.isoformat(),
        "source_system": "crm",
        "actor": {"id": f"ACT-{number % 7}", "role": "CASE_MANAGER"},
        "subject": {"pseudonym": f"SUB-{number % 50}"},
        "recipient": {"org_id": "ORG-EMP-001", "processing_country": "BE"} if number % 3 else None,
        "data_categories": ["IDENTITY"],
        **said,
    }
    face = {name: value for name, value in face.items() if value is not None}
    return json_face.read({"event": face}, controller_id=controller).record


@dataclass
class Stack:
    """One controller's topics and tables."""

    settings: Settings
    controller: str
    client: Client
    sent: dict[int, list[bytes | None]] = field(default_factory=dict)

    @property
    def topics(self) -> ControllerTopics:
        return ControllerTopics(self.controller)

    @property
    def database(self) -> str:
        return self.settings.clickhouse.database

    def send(self, topic: str, messages: Sequence[tuple[bytes | None, bytes | None]], partition: int = 0) -> None:
        """Put messages on a partition and wait until the broker has them."""
        producer = KafkaProducer(bootstrap_servers=self.settings.kafka.bootstrap_servers, linger_ms=20)
        try:
            headers = [("ce_type", b"test"), ("ce_empty", b"")]
            said = [producer.send(topic, value, key, headers, partition=partition) for key, value in messages]
            producer.flush(timeout=120)
            for future in said:
                future.get(timeout=60)
        finally:
            producer.close()

    def send_activities(self, numbers: Sequence[int], partition: int = 0) -> list[bytes]:
        """Put activities on the events topic; returns the messages."""
        records = [activity(number, self.controller) for number in numbers]
        messages = [codec.encode("activity", record) for record in records]
        keys = [record["subject"]["pseudonym"].encode() for record in records]
        self.send(self.topics.events, list(zip(keys, messages, strict=True)), partition)
        return messages

    def cluster(self) -> Cluster:
        return read_cluster(self.settings.kafka, topics_of([self.controller]))

    def kept(self, name: str) -> list[Topic]:
        """The topic of a name, as the trail keeps it."""
        return [topics_of([self.controller])[name]]

    def trail(self, pace: Pace = QUICK) -> Trail:
        client = open_clickhouse(self.settings.clickhouse, answer_within=pace.insert_within + 5)
        return Trail(client, self.database, pace.insert_within)

    def sink(self, pace: Pace = QUICK, trail: Trail | None = None) -> Sink:
        """A sink to run in the loop of the caller."""
        topics = topics_of([self.controller])
        return Sink(self.settings, trail or self.trail(pace), self.cluster(), topics, pace)

    async def keep_until(self, rows: int, pace: Pace = QUICK, within: float = 120) -> None:
        """Run a sink until the trail holds `rows` records of the controller's topics, then stop it."""
        await until_rows(self, self.sink(pace), rows, within)

    def sealer(self, folder: Path, **options: Any) -> Sealer:
        """A sealer to run in the loop of the caller; key, state and archive are in `folder`, as in a data_dir.

        All stacks of a broker share the topic of checkpoints: make the stack with `ledger=True`.
        """
        settings = self.settings.model_copy(update={"data_dir": folder})
        return open_sealer(settings, self.cluster(), topics_of([self.controller]), **options)

    async def seal(self, folder: Path, within: float = 120, **options: Any) -> None:
        """Run a sealer until everything that stands on the topics now is sealed, public and archived; `options` are
        those of `open_sealer`.
        """
        topics = topics_of([self.controller])
        logs = self.cluster().logs(topic for topic in topics.values() if topic.sealed)
        ends = {extent.log.id: extent.end for extent in read_extents(self.settings.kafka, logs)}
        asked = self.requests()
        sealer = self.sealer(folder, **options)
        running = asyncio.create_task(sealer.run())
        try:
            async with asyncio.timeout(within):
                while sealer.answered_until < asked or any(
                    sealer.sealed_until.get(origin, -1) < end for origin, end in ends.items()
                ):
                    if running.done():
                        running.result()
                        raise AssertionError("the sealer stopped")
                    await asyncio.sleep(0.02)
        finally:
            sealer.stop()
            await running

    def requests(self) -> int:
        """The end of the topic of requests to the sealer."""
        admin = KafkaAdminClient(bootstrap_servers=self.settings.kafka.bootstrap_servers, bootstrap_timeout_ms=10_000)
        try:
            place = TopicPartition(PRUNING_REQUESTS, 0)
            return int(admin.list_partition_offsets({place: OffsetSpec.LATEST})[place].offset)
        finally:
            admin.close()

    async def keep_sealed(self, within: float = 120) -> None:
        """Run a sink until the trail holds every record and every checkpoint that is on the topics now."""
        kept = topics_of([self.controller])
        extents = read_extents(self.settings.kafka, self.cluster().logs(kept.values()))
        last = "SELECT log_id, max(offset) FROM trail.log GROUP BY log_id"

        def reached() -> bool:
            held = dict(self.rows(last))
            wanted = [
                # a transaction ends with a mark that takes an offset
                (extent.log.id, extent.end - (1 if extent.log.dense else 2))
                for extent in extents
                if extent.end > extent.begin
            ]
            return all(held.get(origin, -1) >= offset for origin, offset in wanted)

        await until(self.sink(), reached, within)

    def recomputed(self, log_id: str, size: int) -> CompactRange:
        """The tree over the first rows of a log in the trail."""
        sql = f"SELECT hex(leaf_hash) FROM trail.log WHERE log_id = '{log_id}' ORDER BY offset LIMIT {size}"
        tree = CompactRange()
        tree.extend([bytes.fromhex(leaf) for (leaf,) in self.rows(sql)])
        return tree

    async def keep_up(self, pace: Pace = QUICK, within: float = 120) -> None:
        """Run a sink until the trail holds all that stands on the controller's topics now, heartbeats included."""
        topics = {name: topic for name, topic in topics_of([self.controller]).items() if topic.controller}
        extents = read_extents(self.settings.kafka, self.cluster().logs(topics.values()))
        await self.keep_until(sum(extent.end for extent in extents), pace, within)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return list(self.client.query(sql.replace("trail.", f"{self.database}.")).result_rows)

    def held(self) -> int:
        """Records of this controller's logs in the trail."""
        counted = "SELECT count() FROM trail.log WHERE topic LIKE {like:String}"
        like = f"inzage.{self.controller.lower()}.%"
        sql = counted.replace("trail.", f"{self.database}.")
        return int(self.client.query(sql, parameters={"like": like}).result_rows[0][0])

    def offsets(self, partition: int = 0) -> list[int]:
        """The offsets of the events topic that the trail holds, repetitions included, in order."""
        where = f"topic = '{self.topics.events}' AND partition = {partition}"
        return [row[0] for row in self.rows(f"SELECT offset FROM trail.log WHERE {where} ORDER BY offset")]


async def until_rows(stack: Stack, sink: Sink, rows: int, within: float = 120) -> None:
    """Run `sink` until the trail holds `rows` records; what it raises is raised here."""
    await until(sink, lambda: stack.held() >= rows, within)


async def until(sink: Sink, reached: Callable[[], bool], within: float = 120) -> None:
    """Run `sink` until `reached` says so; what it raises is raised here."""
    running = asyncio.create_task(sink.run())
    try:
        async with asyncio.timeout(within):
            while not await asyncio.to_thread(reached):
                if running.done():
                    running.result()
                    raise AssertionError("the sink stopped")
                await asyncio.sleep(0.05)
    finally:
        sink.stop()
        await running


def fact(number: int, controller: str, kind: str = "ConsentGiven", **said: Any) -> bytes:
    """A fact's message."""
    at = (BEGINNING + timedelta(seconds=number)).isoformat()
    face = {"type": kind, "fact_id": f"fact-{number}", "recorded_at": at, "source_system": "crm", **said}
    read = json_face.read({"fact": face}, controller_id=controller, strict=False)
    return codec.encode(read.kind, read.record)


def schema_message(name: str, text: str) -> tuple[bytes, bytes]:
    """Key and value of a schema on the schemas topic."""
    schema = codec.schema_of(name, text)
    said = {"name": name, "fingerprint": schema.fingerprint, "sha256": schema.sha256, "text": text}
    return schema.fingerprint.encode(), json.dumps(said).encode()


@contextmanager
def stack_on(
    broker: Broker, endpoint: Endpoint, partitions: int = 2, *, ledger: bool = False, **sealing: Any
) -> Iterator[Stack]:
    """Topics of a new controller and tables in a new database.

    With `ledger` the topics that everybody shares are made anew, so that no sealer before has said anything:
    what another stack sealed on this broker is gone from Kafka then. Without it the topic of the law always holds
    something of somebody else's, so that a test that counts it fails whatever ran before.
    """
    controller = f"T{uuid.UUID(int=random.getrandbits(128)).hex[:8]}".upper()
    settings = Settings(
        controllers=(controller,),
        kafka={"bootstrap_servers": broker.bootstrap_servers, "partitions": partitions},
        clickhouse={"url": endpoint.url, "database": f"trail_{controller.lower()}"},
        sealing=sealing,
    )
    if ledger:
        _forget_shared(broker)
    ensure_topics(settings, [controller])
    if not ledger:
        _say_law(broker)
    client = open_clickhouse(settings.clickhouse, answer_within=30)
    migrate(lambda statement: str(client.command(statement, use_database=False) or ""), settings.clickhouse.database)
    try:
        yield Stack(settings, controller, client)
    finally:
        client.command(f"DROP DATABASE {settings.clickhouse.database}", use_database=False)
        client.close()


def _say_law(broker: Broker) -> None:
    said = fact(
        0, "LAW", "AdequacyDecisionEnded", fact_id=uuid.uuid4().hex, country="XZ", valid_to="2001-01-01T00:00:00Z"
    )
    producer = KafkaProducer(bootstrap_servers=broker.bootstrap_servers)
    try:
        producer.send(LAW_REFERENCES, said).get(timeout=60)
    finally:
        producer.close()


def _forget_shared(broker: Broker) -> None:
    admin = KafkaAdminClient(bootstrap_servers=broker.bootstrap_servers, bootstrap_timeout_ms=10_000)
    try:
        shared = {CHECKPOINTS, PRUNING_REQUESTS, SCHEMAS, LAW_REFERENCES}
        if standing := sorted(shared & set(admin.list_topics())):
            admin.delete_topics(standing)
        while shared & set(admin.list_topics()):
            time.sleep(0.02)  # what is still listed would be taken for standing, and not be made anew
    finally:
        admin.close()
