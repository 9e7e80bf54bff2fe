"""Retention is killed at every point of a run, and run again: what is due goes once, and nothing else ever."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

from inzage.deploy.local.clickhouse.endpoint import Endpoint
from inzage.deploy.local.kafka import Broker
from inzage.sinks.ledger.signing_key import read_verifiers
from inzage.sinks.proof.check import Trust, check_proof
from inzage.sinks.proof.prove import prove
from inzage.sinks.retention.run import Point
from inzage.sinks.status import trail_status
from tests.aged_trail import (
    aged_settings,
    believe_producers,
    caught_up,
    dropped,
    living,
    month,
    say_month,
)
from tests.trail_stack import Stack, stack_on

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

POINTS = get_args(Point)
EACH = 31  # activities and a fact


@pytest.fixture
def stack(broker: Broker, clickhouse: Endpoint) -> Iterator[Stack]:
    with stack_on(broker, clickhouse, partitions=1, ledger=True, every_seconds=0.2, every_records=64) as made:
        believe_producers(made)
        yield made


async def test_killed_at_every_point(stack: Stack, tmp_path: Path) -> None:
    """A month for each point: it becomes due, the run is killed there, the next one does what is left."""
    for number in range(len(POINTS) + 1):
        say_month(stack, month(number), 100 * number, EACH - 1)
    await caught_up(stack, tmp_path)
    async with living(stack, tmp_path):
        for number, point in enumerate(POINTS):
            now = month(number + 1 + 120)
            assert await _ended(stack, tmp_path, point, now.isoformat()) == -signal.SIGKILL, point
            if number < POINTS.index("after-drop"):  # whatever was asked or stated, nothing went
                assert _standing(stack) == (EACH * number, EACH * (len(POINTS) + 1 - number)), point
            await dropped(stack, tmp_path, now)
            assert _standing(stack) == (EACH * (number + 1), EACH * (len(POINTS) - number)), point
        assert await dropped(stack, tmp_path, now) == []
    stated = stack.rows("SELECT minimum_index FROM trail.prunings ORDER BY minimum_index")
    assert stated == [(EACH * (number + 1),) for number in range(len(POINTS))]
    (log,) = [log for log in trail_status(stack.settings) if log.topic == stack.topics.events]
    assert (log.complete, log.gaps, log.lag, log.dropped_below) == (True, 0, 0, EACH * len(POINTS))
    trust = Trust(read_verifiers(tmp_path / "sealer" / "key.pub"))
    check_proof(str(prove(stack.trail(), f"event-{100 * len(POINTS)}").file).encode(), trust)


def _standing(stack: Stack) -> tuple[int, int]:
    """The lowest place of the events that the trail holds, and how many it holds."""
    ((first, count),) = stack.rows("SELECT min(leaf_index), count() FROM trail.log WHERE topic LIKE '%events%'")
    return first, count


async def _ended(stack: Stack, folder: Path, point: str, now: str) -> int:
    """Run retention in a process of its own; returns how it ended."""
    text = aged_settings(stack, folder).model_dump_json()
    command = [sys.executable, "-m", "tests.faults.fatal_retention", text, point, now]
    child = await asyncio.create_subprocess_exec(*command, cwd=Path(__file__).parents[2])
    return await asyncio.wait_for(child.wait(), 90)
