"""Starts processes that end themselves at a named point, by forking from one that has imported everything.

    python -m tests.faults.forking

Each line on stdin is a JSON object with the arguments of `_sealer` or `_sink`; the answer is the exit code on a line
of stdout. Starting an interpreter and importing would take longer than the rest of such a life.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import threading
import traceback
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from inzage.schemas.settings import Settings
from inzage.sinks.block import Block
from inzage.sinks.connection import open_clickhouse
from inzage.sinks.ledger.note import Signature, Signer
from inzage.sinks.ledger.signing_key import signing_key
from inzage.sinks.logs import read_cluster, topics_of
from inzage.sinks.sealing.archive import Directory
from inzage.sinks.sealing.rounds import Point
from inzage.sinks.sealing.sealer import Sealer
from inzage.sinks.sealing.state import State
from inzage.sinks.sink import Sink
from inzage.sinks.status import read_extents
from inzage.sinks.trail import Trail
from tests.trail_stack import QUICK

KILLED = 9
MID_INSERT_AFTER = 0.005  # seconds
QUICKER = replace(QUICK, session_timeout=1.0, insert_within=0.6, drain_within=0.8, linger=0.05)


class Forking:
    """The process that forks, for a test; each `run` is one life."""

    def __init__(self) -> None:
        module = [sys.executable, "-m", "tests.faults.forking"]
        self._process = subprocess.Popen(module, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def run(self, **arguments: Any) -> int:
        """Let one process live and end; returns its exit code, `KILLED` when it came to its point."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps(arguments) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def close(self) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(90)


@dataclass(frozen=True)
class RecordingSigner(Signer):
    """Writes down each text before it is signed, whether or not it becomes public."""

    file: Path = Path()

    def sign(self, text: str, *, at: int | None = None) -> Signature:
        with self.file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(text) + "\n")
        return super().sign(text, at=at)


def _die() -> None:
    os._exit(KILLED)


async def _sealer(settings: Settings, point: str, count: int, folder: Path) -> None:
    """Seal what is on the topics, and end at the `count`-th time `point` is come to, or when all is sealed."""
    topics = topics_of(settings.controllers)
    cluster = read_cluster(settings.kafka, topics)
    extents = read_extents(settings.kafka, cluster.logs(topic for topic in topics.values() if topic.sealed))
    wanted = {extent.log.id: extent.end for extent in extents}
    left = count

    def passes(reached: Point) -> None:
        nonlocal left
        left -= reached == point
        if not left:
            _die()

    key = signing_key(folder / "sealer" / "key", "inzage-sealer")
    signer = RecordingSigner(key.name, key.algorithm, key.private, folder / "signed")
    state, archive = State(folder / "sealer", cluster.meta_origin), Directory(folder / "archive")
    sealer = Sealer(settings, cluster, topics, state, signer, archive, passes=passes)
    running = asyncio.create_task(sealer.run())
    while not running.done() and any(sealer.sealed_until.get(origin, -1) < end for origin, end in wanted.items()):
        await asyncio.sleep(0.01)
    sealer.stop()
    await running


@dataclass(frozen=True)
class _FatalTrail(Trail):
    point: str = "never"

    def insert(self, block: Block) -> None:
        if self.point == "before-insert":
            _die()
        if self.point == "mid-insert":
            threading.Timer(MID_INSERT_AFTER, _die).start()
        super().insert(block)
        if self.point == "after-insert":
            _die()


async def _sink(settings: Settings, point: str, folder: Path, count: int = 1) -> None:
    """Keep the trail until the `point`, or until nothing more is to be inserted for a while."""
    topics = topics_of(settings.controllers)
    client = open_clickhouse(settings.clickhouse, answer_within=QUICKER.insert_within + 5)
    trail = _FatalTrail(client, settings.clickhouse.database, QUICKER.insert_within, point=point)
    sink = Sink(settings, trail, read_cluster(settings.kafka, topics), topics, QUICKER)
    asyncio.get_running_loop().call_later(6, sink.stop)
    await sink.run()


def _live(what: str, settings: str, folder: str, **arguments: Any) -> None:
    run = {"sealer": _sealer, "sink": _sink}[what]
    asyncio.run(run(Settings.model_validate_json(settings), folder=Path(folder), **arguments))


def main() -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a child says goes elsewhere
    for line in sys.stdin:
        child = os.fork()
        if not child:
            try:
                _live(**json.loads(line))
            except BaseException:
                traceback.print_exc()
                os._exit(70)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        answers.write(f"{os.waitstatus_to_exitcode(status)}\n")
        answers.flush()


if __name__ == "__main__":
    main()
