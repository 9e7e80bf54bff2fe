"""The sealer reads every record, so it feeds the completeness watch, says its alerts, and keeps its state."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaProducer

from inzage.deploy.local.clickhouse.endpoint import Endpoint
from inzage.deploy.local.kafka import Broker
from inzage.schemas.emitter.message import SEQUENCE_HEADER, SOURCE_HEADER, Message
from inzage.schemas.topics import ControllerTopics
from inzage.sinks.completeness.watch import Watch, Watched
from tests.trail_stack import Stack, stack_on

pytestmark = pytest.mark.kafka


@pytest.fixture
def stack(broker: Broker, clickhouse: Endpoint) -> Iterator[Stack]:
    with stack_on(broker, clickhouse, ledger=True, every_seconds=0.05, every_records=64) as made:
        yield made


class Noticing:
    """Says something about every third record, and keeps how many it saw."""

    def __init__(self, topic: str) -> None:
        self.topic = topic
        self.seen = 0
        self.restored: dict[str, Any] = {}
        self.said = 0

    def see(self, topic: str, partition: int, records: Sequence[Any], *, also: object = None) -> list[Message]:
        self.seen += len(records)
        return []

    def caught_up(self, topic: str, partition: int, at: int) -> None:
        pass

    def due(self) -> list[Message]:
        fresh, self.said = self.seen // 3 - self.said, self.seen // 3
        return [Message(self.topic, b"k", b"alert", [("ce_type", b"test")])] * fresh

    def changed(self) -> dict[str, Any]:
        return {"topic": {"read": [self.seen], "sources": {"said": self.said}}}

    def restore(self, state: Mapping[str, Any]) -> None:
        if state:
            self.seen, self.said = state["topic"]["read"][0], state["topic"]["sources"]["said"]


async def test_a_watch_is_fed_and_kept(stack: Stack, tmp_path: Path) -> None:
    """Its alerts lie on a topic that is sealed itself: no transaction leaves a gap there."""
    stack.send_activities(range(7))
    await stack.seal(tmp_path, completeness=lambda _: Noticing(stack.topics.dead_letters))
    stack.send_activities(range(7, 9))
    watch = Noticing(stack.topics.dead_letters)
    sealer = stack.sealer(tmp_path, completeness=lambda _: watch)
    running = asyncio.create_task(sealer.run())
    [alerts] = stack.cluster().logs(stack.kept(stack.topics.dead_letters))
    async with asyncio.timeout(90):
        while watch.seen < 9 or sealer.sealed_until.get(alerts.id, 0) < 3:
            await asyncio.sleep(0.02)
    sealer.stop()
    await running
    assert sealer.sealed_until[alerts.id] == 3


async def test_what_a_source_numbered_and_never_arrived_is_an_alert(stack: Stack, tmp_path: Path) -> None:
    """Over a restart in between: the alert is closed when the number arrives after all."""
    incompleteness = ControllerTopics(stack.controller).incompleteness

    def quick(not_whole: Collection[str]) -> Watch:
        assert not not_whole
        partitions = stack.cluster().topics[stack.topics.events][1]
        return Watch([Watched(stack.topics.events, stack.controller, partitions)], grace=0.2)

    def say(*numbers: int) -> None:
        producer = KafkaProducer(bootstrap_servers=stack.settings.kafka.bootstrap_servers)
        for number in numbers:
            headers = [(SOURCE_HEADER, b"claims/one"), (SEQUENCE_HEADER, b"%d" % number)]
            producer.send(stack.topics.events, b"event", b"k", headers, partition=number % 2)
        producer.close()

    async def alerts(count: int) -> list[tuple[str, int, int]]:
        sealer = stack.sealer(tmp_path, completeness=quick)
        [log] = stack.cluster().logs(stack.kept(incompleteness))
        running = asyncio.create_task(sealer.run())
        async with asyncio.timeout(120):
            while sealer.sealed_until.get(log.id, 0) < count:
                assert not running.done(), running.result()
                await asyncio.sleep(0.05)
        sealer.stop()
        await running
        await stack.keep_sealed()
        return stack.rows("SELECT kind, first_missing, last_missing FROM trail.incompleteness ORDER BY log_offset")

    say(7, 8, 10)
    assert await alerts(1) == [("GAP", 9, 9)]
    say(9)
    assert await alerts(2) == [("GAP", 9, 9), ("CLOSED", 9, 9)]
