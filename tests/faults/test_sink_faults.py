"""Whatever ends, stops or restarts in mid-course, every offset stands in the trail exactly once."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from kafka.admin import KafkaAdminClient

from inzage.deploy.local.clickhouse.endpoint import Endpoint
from inzage.deploy.local.kafka import Broker
from inzage.schemas import codec
from inzage.sinks.block import Block
from inzage.sinks.lifetime import EXIT_UNEXPECTED
from inzage.sinks.logs import ANSWER_WITHIN_MS
from inzage.sinks.sink import GROUP
from inzage.sinks.status import trail_status
from inzage.sinks.trail import Trail
from tests.trail_stack import QUICK, Stack, activity, fact, stack_on, until_rows

pytestmark = pytest.mark.kafka

ROWS = 600


@pytest.fixture
def stack(broker: Broker, clickhouse: Endpoint) -> Iterator[Stack]:
    with stack_on(broker, clickhouse, partitions=1) as made:
        yield made


def _start(stack: Stack, point: str, count: int = 1, rows: int = QUICK.block_rows) -> subprocess.Popen[bytes]:
    module = [sys.executable, "-m", "tests.faults.fatal_sink"]
    return subprocess.Popen([*module, stack.settings.model_dump_json(), point, str(count), str(rows)])


async def _held(stack: Stack, rows: int, within: float = 90) -> None:
    """Return when the trail holds at least `rows`."""
    async with asyncio.timeout(within):
        while await asyncio.to_thread(stack.held) < rows:
            await asyncio.sleep(0.02)


def _exactly_once(stack: Stack, rows: int) -> None:
    assert stack.offsets() == list(range(rows))
    [log] = [log for log in trail_status(stack.settings) if log.topic == stack.topics.events]
    assert (log.rows, log.gaps, log.duplicates, log.lag, log.complete) == (rows, 0, 0, 0, True)


@pytest.mark.slow
async def test_killed_at_every_point(stack: Stack) -> None:
    """Before the first commit, between insert and commit, and while an insert is on its way."""
    stack.send_activities(range(ROWS))
    points = [("before-insert", 1), ("after-insert", 1), ("mid-insert", 1), ("after-insert", 2), ("mid-insert", 2)]
    sent = ROWS
    for number, (point, count) in enumerate(points):
        killed = _start(stack, point, count, rows=150 + 31 * number)  # so that no token is met again
        try:
            assert await asyncio.to_thread(killed.wait, 40) == -signal.SIGKILL, point
        finally:
            killed.kill()
        stack.send_activities(range(sent, sent + 500))
        sent += 500
    await stack.keep_until(sent)
    _exactly_once(stack, sent)


async def test_replay_long_after_the_tokens_are_forgotten(stack: Stack) -> None:
    """The group's offsets are gone and blocks are cut elsewhere: no token matches, the trail is asked instead."""
    stack.send_activities(range(ROWS))
    await stack.keep_until(ROWS)
    admin = KafkaAdminClient(
        bootstrap_servers=stack.settings.kafka.bootstrap_servers, bootstrap_timeout_ms=ANSWER_WITHIN_MS
    )
    try:
        admin.delete_groups([GROUP])
    finally:
        admin.close()
    stack.send_activities(range(ROWS, ROWS + 10))
    await stack.keep_until(ROWS + 10, replace(QUICK, block_rows=77))
    _exactly_once(stack, ROWS + 10)


class EndedError(Exception):
    """The process ends here."""


@dataclass(frozen=True)
class TrailOfOneBlock(Trail):
    def insert(self, block: Block) -> None:
        if block.leaves[0].offset:
            raise EndedError
        super().insert(block)


async def test_ended_between_two_blocks_of_a_slice(stack: Stack) -> None:
    """What the trail holds has a hole then, and of some later slices it holds every record."""
    messages = [codec.encode("activity", activity(number, stack.controller)) for number in range(3)]
    messages.insert(1, fact(9, stack.controller, subject="SUB-9", consent_ref="CONS-9"))
    stack.send(stack.topics.events, [(b"SUB-9", message) for message in messages])
    first = stack.sink(trail=TrailOfOneBlock(stack.trail().client, stack.database, QUICK.insert_within))
    with pytest.raises(EndedError):
        await until_rows(stack, first, 4)
    assert stack.offsets() == [0, 2, 3]
    await stack.keep_until(4, replace(QUICK, block_rows=1))
    _exactly_once(stack, 4)


@dataclass(frozen=True)
class SlowTrail(Trail):
    def insert(self, block: Block) -> None:
        time.sleep(1.5)  # the other sink asks what the trail holds while this is on its way
        super().insert(block)


async def test_revoked_during_an_insert(broker: Broker, clickhouse: Endpoint) -> None:
    with stack_on(broker, clickhouse, partitions=2) as stack:
        for partition in (0, 1):
            stack.send_activities(range(ROWS), partition)
        slow = SlowTrail(stack.trail().client, stack.database, QUICK.insert_within)
        first = stack.sink(replace(QUICK, block_rows=ROWS // 2), slow)
        running = asyncio.create_task(first.run())
        try:
            await _held(stack, 1)
            await until_rows(stack, stack.sink(), 2 * ROWS)
        finally:
            first.stop()
            await running
        assert stack.offsets(0) == stack.offsets(1) == list(range(ROWS))


@pytest.mark.slow
@pytest.mark.parametrize("point", ["before-fence", "expelled-before-fence"])
async def test_a_sink_that_was_stopped_does_not_insert_when_it_goes_on(stack: Stack, point: str) -> None:
    """SIGSTOP past the session time-out, with a block in hand: the partition was another's, who has gone since."""
    stack.send_activities(range(ROWS))
    zombie = _start(stack, point, rows=170)
    try:
        _, status = await asyncio.to_thread(os.waitpid, zombie.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status)
        await stack.keep_until(ROWS)
        zombie.send_signal(signal.SIGCONT)
        await asyncio.sleep(QUICK.session_timeout)  # nobody else is in the group
        stack.send_activities(range(ROWS, 2 * ROWS))
        await stack.keep_until(2 * ROWS, within=90)  # beside it: an answer that came too late may have ended it
    finally:
        zombie.send_signal(signal.SIGCONT)
        zombie.terminate()
        ended = await asyncio.to_thread(zombie.wait, 60)
    assert ended in (0, EXIT_UNEXPECTED)
    _exactly_once(stack, 2 * ROWS)


async def test_clickhouse_dies_and_comes_back_during_inserts(
    broker: Broker, clickhouse_factory: Callable[..., Endpoint], tmp_path: Path
) -> None:
    endpoint = clickhouse_factory(tmp_path)
    with stack_on(broker, endpoint, partitions=1) as stack:
        stack.send_activities(range(5 * ROWS))
        sink = stack.sink()
        running = asyncio.create_task(sink.run())
        try:
            await _held(stack, 1)
            assert endpoint.pid
            os.kill(endpoint.pid, signal.SIGKILL)
            await asyncio.to_thread(endpoint.stop)
            await asyncio.sleep(0.5)
            endpoint.start()
            await asyncio.to_thread(endpoint.wait_ready)
            await _held(stack, 5 * ROWS)
        finally:
            sink.stop()
            await running
        _exactly_once(stack, 5 * ROWS)
