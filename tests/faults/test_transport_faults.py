"""Workers are killed, join and leave in the middle of a batch: nothing is lost, little comes twice."""

from __future__ import annotations

import asyncio
import random
import signal
from pathlib import Path

import pytest

from inzage.streams.transport.fatal import EXIT_FATAL
from tests.integration.fleet import Fleet, until

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

WORK = ("--work", "0", "0.005", "0.02", "0.06")


async def test_killed_and_changing_workers_lose_nothing(broker, tmp_path: Path) -> None:
    async with Fleet(broker.bootstrap_servers, tmp_path, *WORK) as fleet:
        workers = [fleet.start(), fleet.start()]
        await fleet.publish_until_it_works(workers[0])
        publishing = asyncio.create_task(fleet.publish_for(22.0, per_second=2_000))
        for _ in range(3):
            await asyncio.sleep(random.uniform(1.0, 4.0))
            victim = random.randrange(len(workers))
            await fleet.stop(workers[victim], signal.SIGKILL)
            workers[victim] = fleet.start()
        third = fleet.start()
        await asyncio.sleep(5.0)
        await fleet.stop(third)
        await publishing
        assert await fleet.drained()
        assert fleet.repeated() < 0.1 * fleet.published.total()


@pytest.mark.parametrize("hangs", [True, False])
async def test_a_worker_that_cannot_stop_in_order_ends_all_the_same(broker, tmp_path: Path, hangs: bool) -> None:
    """What it had finished is not handed out again."""
    options = ["--stop-within", "2.0", *(["--hang-at-stop"] if hangs else [])]
    async with Fleet(broker.bootstrap_servers, tmp_path) as fleet:
        worker = fleet.start(*options)
        await fleet.publish_until_it_works(worker)
        assert await fleet.drained()
        await asyncio.sleep(2.0)  # committed
        assert await fleet.stop(worker) == (EXIT_FATAL if hangs else 0)
        assert fleet.logs().count("did not stop in time") == hangs
        fleet.start()
        await fleet.publish(400)
        assert await fleet.drained()
        assert fleet.repeated() == 0


@pytest.mark.parametrize("rule", ["kept", "removed"])
async def test_seeking_back_after_a_discard_is_what_loses_nothing(broker, tmp_path: Path, rule: str) -> None:
    """A fetch in flight during a rebalance returns after the seek, and has moved aiokafka's position."""
    options = [
        "--seek-delay",
        "1.5",
        "--fetch-times",
        "60",
        *(["--skip-the-rule"] if rule == "removed" else []),
    ]
    async with Fleet(broker.bootstrap_servers, tmp_path, *options) as fleet:
        await fleet.publish_until_it_works(fleet.start())
        assert await fleet.drained()
        await asyncio.sleep(1.0)
        seeks = fleet.logs().count("sought")
        fleet.start()
        await until(lambda: fleet.logs().count("sought") > seeks, within=90.0)
        await fleet.publish(400)
        drained = await fleet.drained(within=30.0 if rule == "kept" else 8.0)
        assert drained == (rule == "kept"), f"lost {len(fleet.lost())} of {fleet.published.total()}"
