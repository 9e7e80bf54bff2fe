"""Keeps a trail of several months on a real broker, whose topics believe the time that a producer states."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from kafka import KafkaProducer
from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient

from inzage.schemas import codec
from inzage.schemas.settings import RetentionSettings, Settings
from inzage.sinks.retention.run import Dropped, Run
from inzage.sinks.retention.statement import Warrant
from tests.trail_stack import Stack, activity, fact

WARRANT = Warrant("ten years are over", "dpo@example.org")
PERIOD = "P10Y"


def believe_producers(stack: Stack) -> None:
    """Have the broker keep the time that a producer states, so that records can be old."""
    admin = KafkaAdminClient(bootstrap_servers=stack.settings.kafka.bootstrap_servers)
    try:
        for topic in (stack.topics.events, stack.topics.verdicts, stack.topics.dead_letters):
            configs = {"message.timestamp.type": "CreateTime"}
            admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, configs)], incremental=True)
    finally:
        admin.close()


def say(stack: Stack, messages: Sequence[tuple[bytes, bytes]], at: datetime, partition: int = 0) -> None:
    """Put messages on the events topic as of `at`."""
    producer = KafkaProducer(bootstrap_servers=stack.settings.kafka.bootstrap_servers)
    try:
        for key, value in messages:
            time = int(at.timestamp() * 1000)
            producer.send(stack.topics.events, value, key, partition=partition, timestamp_ms=time)
            at += timedelta(seconds=1)
        producer.flush(timeout=30)
    finally:
        producer.close()


def say_month(stack: Stack, month: datetime, first: int, count: int = 40, partition: int = 0) -> None:
    """Activities and one fact in the month of `month`; the same numbers are the same events."""
    records = [activity(number, stack.controller) for number in range(first, first + count)]
    messages = [(record["subject"]["pseudonym"].encode(), codec.encode("activity", record)) for record in records]
    said = fact(first, stack.controller, subject="SUB-1")
    say(stack, [*messages, (b"SUB-1", said)], month.replace(day=2), partition)


def aged_settings(stack: Stack, folder: Path) -> Settings:
    """The settings of the stack, with ten years for its controller and the sealer's key in `folder`."""
    retention = RetentionSettings(periods={stack.controller: PERIOD})
    return stack.settings.model_copy(update={"data_dir": folder, "retention": retention})


def retention(stack: Stack, folder: Path, now: datetime, **options: Any) -> Run:
    """A run with everything that it is given in the command."""
    settings = aged_settings(stack, folder)
    return Run(settings, stack.controller, stack.trail(), stack.trail(), WARRANT, now, **options)


async def dropped(stack: Stack, folder: Path, now: datetime, **options: Any) -> list[Dropped]:
    """Run retention beside this loop."""
    return await asyncio.to_thread(lambda: retention(stack, folder, now, **options).run())


@asynccontextmanager
async def living(stack: Stack, folder: Path) -> AsyncIterator[None]:
    """A sealer and a sink in this loop; what they raise is raised at the end."""
    sealer, sink = stack.sealer(folder), stack.sink()
    running = [asyncio.create_task(sealer.run()), asyncio.create_task(sink.run())]
    try:
        yield
    finally:
        sealer.stop()
        sink.stop()
        await asyncio.gather(*running)


async def caught_up(stack: Stack, folder: Path) -> None:
    """Return when all that is on the topics is sealed and in the trail."""
    await stack.seal(folder)
    await stack.keep_sealed()


def month(number: int) -> datetime:
    """The month `number` months after January 2016."""
    return datetime(2016 + number // 12, 1 + number % 12, 1, tzinfo=UTC)
