"""A batch agent on a real broker: everything comes, in order; what cannot be processed stops the worker."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from pathlib import Path

import pytest
from kafka import KafkaConsumer, TopicPartition

from inzage.streams.transport.fatal import EXIT_FATAL
from tests.integration.fleet import PARTITIONS, Fleet
from tests.integration.recording_worker import POISON

pytestmark = pytest.mark.kafka


async def test_every_record_comes_once_and_in_order(broker, tmp_path: Path) -> None:
    async with Fleet(broker.bootstrap_servers, tmp_path, "--max-records", "1000") as fleet:
        await fleet.publish(10_000)
        worker = fleet.start()
        assert await fleet.drained()
        await fleet.publish(100)
        assert await fleet.drained()
        assert await fleet.stop(worker) == 0
        assert fleet.repeated() == 0
        for partition in range(PARTITIONS):
            offsets = [offset for place, offset, _ in fleet.handed() if place == partition]
            assert offsets == list(range(fleet.published[partition]))
        assert committed(fleet) == dict(fleet.published)


async def test_a_lone_record_reaches_an_idle_agent_at_once(broker, tmp_path: Path) -> None:
    async with Fleet(broker.bootstrap_servers, tmp_path, "--stamp") as fleet:
        fleet.start()
        await fleet.publish(4)
        assert await fleet.drained()
        for _ in range(20):
            await fleet.publish(1)
            await asyncio.sleep(0.15)
        assert await fleet.drained()
        delays = sorted(fleet.delays()[4:])
        assert delays[len(delays) // 2] < 0.02, delays


async def test_poison_ends_the_worker_and_nothing_is_skipped(broker, tmp_path: Path) -> None:
    """Two starts both end at the poison; when it is gone, everything has been handed out."""
    poison = tmp_path / "poison"
    poison.touch()
    async with Fleet(broker.bootstrap_servers, tmp_path, "--poison", str(poison)) as fleet:
        await fleet.publish(4_001)
        await fleet.publish(1, POISON)
        await fleet.publish(4_000)
        for _ in range(2):
            assert await fleet.ended(fleet.start()) == EXIT_FATAL
            handed = {(place, offset) for place, offset, _ in fleet.handed()}
            for place, offset in committed(fleet).items():
                assert all((place, below) in handed for below in range(offset))
        assert committed(fleet)[1] < 1001
        poison.unlink()
        fleet.start()
        assert await fleet.drained()
        assert "ValueError" in fleet.logs()
        assert POISON.decode() not in fleet.logs()


async def test_a_batch_that_never_ends_ends_the_worker(broker, tmp_path: Path) -> None:
    options = ("--work", "100", "--watchdog-age", "3")
    async with Fleet(broker.bootstrap_servers, tmp_path, *options) as fleet:
        await fleet.publish(1)
        assert await fleet.ended(fleet.start()) == EXIT_FATAL
        assert "transient.stalled" in fleet.logs()
        assert committed(fleet)[0] == 0


async def test_the_committed_offset_that_is_gone_ends_the_worker(broker, tmp_path: Path) -> None:
    """Records deleted before they were read are a loss: the worker stops instead of going on after them."""
    async with Fleet(broker.bootstrap_servers, tmp_path) as fleet:
        await fleet.publish(400)
        first = fleet.start()
        assert await fleet.drained()
        assert await fleet.stop(first) == 0
        await fleet.publish(400)
        delete_below(fleet, 150)
        assert await fleet.ended(fleet.start()) == EXIT_FATAL
        assert "OffsetOutOfRange" in fleet.logs()


async def test_a_second_worker_takes_its_share_and_gives_it_back(broker, tmp_path: Path) -> None:
    async with Fleet(broker.bootstrap_servers, tmp_path, "--work", "0", "0.02") as fleet:
        await fleet.publish_until_it_works(fleet.start())
        second = fleet.start()
        await fleet.publish_until_it_works(second)
        await fleet.publish_for(2.0, per_second=2_000)
        assert await fleet.stop(second) == 0
        await fleet.publish_for(1.0, per_second=2_000)
        assert await fleet.drained()
        assert fleet.repeated() <= fleet.published.total() * 0.05


async def test_a_new_assignment_is_a_new_incarnation(broker, tmp_path: Path) -> None:
    async with Fleet(broker.bootstrap_servers, tmp_path) as fleet:
        first = fleet.start()
        await fleet.publish(400)
        assert await fleet.drained()
        before = {incarnation for _, _, incarnation in fleet.handed()}
        second = fleet.start()
        await fleet.publish_until_it_works(second)
        assert await fleet.stop(second) == 0
        await fleet.publish(400)
        assert await fleet.drained()
        text = (tmp_path / f"{first.pid}.handed").read_text()
        of_first = [int(line.split()[2]) for line in text.splitlines()]
        assert len(before) == 1
        assert of_first[-1] > of_first[0]
        assert all(earlier <= later for earlier, later in pairwise(of_first))


def committed(fleet: Fleet) -> dict[int, int]:
    consumer = KafkaConsumer(bootstrap_servers=fleet.kafka.bootstrap_servers, group_id=fleet.topic)
    try:
        offsets = {place: consumer.committed(TopicPartition(fleet.topic, place)) for place in range(PARTITIONS)}
        return {place: offset or 0 for place, offset in offsets.items()}
    finally:
        consumer.close()


def delete_below(fleet: Fleet, offset: int) -> None:
    from kafka import KafkaAdminClient

    admin = KafkaAdminClient(bootstrap_servers=fleet.kafka.bootstrap_servers)
    admin.delete_records({TopicPartition(fleet.topic, place): offset for place in range(PARTITIONS)})
    admin.close()
