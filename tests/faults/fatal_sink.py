"""A sink that kills itself at a named point; a program of the fault tests.

    python -m tests.faults.fatal_sink SETTINGS POINT COUNT ROWS

SETTINGS is JSON, ROWS the size of a block. The process ends itself with SIGKILL at the COUNT-th time it comes to
POINT: `before-insert`, `mid-insert`, `after-insert` (acknowledged, not committed). At `before-fence` it stops
itself with SIGSTOP the first time; at `expelled-before-fence` it learns besides, before it goes on, that the group
expelled it.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
import time
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import structlog

from inzage.schemas.settings import Settings
from inzage.sinks.block import Block
from inzage.sinks.connection import open_clickhouse
from inzage.sinks.lifetime import live, serve
from inzage.sinks.logs import read_cluster, topics_of
from inzage.sinks.sink import Sink
from inzage.sinks.trail import Trail
from tests.trail_stack import QUICK

MID_INSERT_AFTER = 0.01  # seconds


@dataclass(frozen=True)
class FatalTrail(Trail):
    point: str = "never"
    countdown: list[None] = None  # type: ignore[assignment]

    def insert(self, block: Block) -> None:
        self.countdown.pop()
        now = not self.countdown
        if now and self.point == "before-insert":
            _die()
        if now and self.point == "mid-insert":
            threading.Timer(MID_INSERT_AFTER, _die).start()
        super().insert(block)
        if now and self.point == "after-insert":
            _die()
        if now:
            self.countdown.extend([None] * 1_000_000)


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(60)


class StoppedSink(Sink):
    """Is stopped when it has a block in hand and is about to ask whether it may insert it."""

    stopped = False
    learns_for = 0.0  # seconds: nothing, or some beats

    async def _fence(self, owned: Any) -> None:
        if not self.stopped:
            self.stopped = True
            os.kill(os.getpid(), signal.SIGSTOP)
            await asyncio.sleep(self.learns_for)
        await super()._fence(owned)


class ExpelledSink(StoppedSink):
    """Has no generation any more: Kafka takes a commit without one for any group that is empty."""

    learns_for = QUICK.session_timeout / 3


KINDS: dict[str, type[Sink]] = {"before-fence": StoppedSink, "expelled-before-fence": ExpelledSink}


def main(settings_json: str, point: str, count: str, rows: str) -> None:
    settings = Settings.model_validate_json(settings_json)
    topics = topics_of(settings.controllers)
    client = open_clickhouse(settings.clickhouse, answer_within=QUICK.insert_within + 5)
    countdown: list[None] = [None] * int(count)
    trail = FatalTrail(client, settings.clickhouse.database, QUICK.insert_within, point=point, countdown=countdown)
    cluster = read_cluster(settings.kafka, topics)
    kind = KINDS.get(point, Sink)
    pace = replace(QUICK, block_rows=int(rows))
    run = partial(asyncio.run, serve(lambda: kind(settings, trail, cluster, topics, pace)))
    sys.exit(live(run, structlog.get_logger("inzage.sink")))


if __name__ == "__main__":
    main(*sys.argv[1:])
