"""Starts, stops and kills recording workers on one topic, and says what was lost and what came twice."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from kafka import KafkaAdminClient

from inzage.schemas.settings import KafkaSettings
from inzage.streams.transport.publisher import BatchPublisher, OutgoingRecord

PARTITIONS = 4
WORKER = Path(__file__).with_name("recording_worker.py")


class Fleet:
    """Workers of one group on a topic of their own; `async with` creates the topic and ends every worker."""

    def __init__(self, bootstrap_servers: str, out: Path, *options: str) -> None:
        self.topic = f"inzage.fleet.{uuid.uuid4().hex[:8]}.v1"
        self.kafka = KafkaSettings(bootstrap_servers=bootstrap_servers)
        self.out = out
        self.options = options
        self.workers: list[subprocess.Popen[bytes]] = []
        self.published: Counter[int] = Counter()
        self._publisher = BatchPublisher(self.kafka)

    async def __aenter__(self) -> Self:
        admin = KafkaAdminClient(bootstrap_servers=self.kafka.bootstrap_servers)
        admin.create_topics({self.topic: {"num_partitions": PARTITIONS, "replication_factor": 1}})
        admin.close()
        await self._publisher.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._publisher.stop()
        for worker in self.workers:
            if worker.poll() is None:
                worker.kill()
            worker.wait()

    def start(self, *options: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, str(WORKER), "--topic", self.topic, "--out", str(self.out)]
        command += ["--bootstrap-servers", self.kafka.bootstrap_servers, *self.options, *options]
        with (self.out / f"worker-{len(self.workers)}.log").open("wb") as log:
            worker = subprocess.Popen(command, stdout=log, stderr=log)
        self.workers.append(worker)
        return worker

    async def stop(self, worker: subprocess.Popen[bytes], signal_: int = signal.SIGTERM) -> int:
        worker.send_signal(signal_)
        return await self.ended(worker)

    async def ended(self, worker: subprocess.Popen[bytes], within: float = 30.0) -> int:
        await until(lambda: worker.poll() is not None, within)
        return worker.wait()

    async def publish(self, count: int, value: bytes = b"x" * 100) -> None:
        """Publish `count` records, the next partition each."""
        start = self.published.total()
        places = [(start + n) % PARTITIONS for n in range(count)]
        await self._publisher.publish(OutgoingRecord(self.topic, None, value, partition=place) for place in places)
        self.published.update(places)

    async def publish_for(self, seconds: float, per_second: int) -> None:
        """Publish at an even rate."""
        step = 0.05
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            await self.publish(int(per_second * step))
            await asyncio.sleep(step)

    async def publish_until_it_works(self, worker: subprocess.Popen[bytes], per_second: int = 2_000) -> None:
        """Publish until `worker` was handed something; raises `TimeoutError` after 30 s."""
        written = self.out / f"{worker.pid}.handed"
        async with asyncio.timeout(120.0):
            while not (written.exists() and written.stat().st_size):
                await self.publish_for(0.2, per_second)

    def handed(self) -> list[tuple[int, int, int]]:
        """What was handed out, as (partition, offset, incarnation), in order within each worker."""
        return [tuple(map(int, line.split()[:3])) for line in self._lines()]  # type: ignore[misc]

    def delays(self) -> list[float]:
        return [float(line.split()[3]) for line in self._lines()]

    def lost(self) -> set[tuple[int, int]]:
        wanted = {(place, offset) for place, count in self.published.items() for offset in range(count)}
        return wanted - {(place, offset) for place, offset, _ in self.handed()}

    def repeated(self) -> int:
        handed = self.handed()
        return len(handed) - len({(place, offset) for place, offset, _ in handed})

    async def drained(self, within: float = 30.0) -> bool:
        """Whether everything published was handed out within this many seconds."""
        try:
            await until(lambda: not self.lost(), within)
        except TimeoutError:
            return False
        return True

    def logs(self) -> str:
        return "".join(log.read_text() for log in sorted(self.out.glob("worker-*.log")))

    def _lines(self) -> Iterator[str]:
        for written in sorted(self.out.glob("*.handed")):
            text = written.read_text()
            yield from text[: text.rfind("\n") + 1].splitlines()


async def until(condition: Callable[[], bool], within: float) -> None:
    """Wait until `condition` holds; raises `TimeoutError`."""
    async with asyncio.timeout(within):
        while not condition():
            await asyncio.sleep(0.1)
