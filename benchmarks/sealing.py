"""Measures how many events a second one core seals, and what the ledger takes up beside an event.

    python -m benchmarks.sealing [--events 400000] [--partitions 4]

The sealer has a core of its own, the broker the other; it begins far behind. `per_cpu_second` is what its own work
allows, whatever else the machine does; `plain_hashing` is one SHA-256 over the same leaves, already encoded, in the
same process: what no sealer can beat. Bytes: the leaf hash in the trail, and what checkpoints add on their topic, in
the archive and in the sealer's state.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import typer

from benchmarks.sink import _cpu, _events, _fill
from inzage.deploy.local.kafka import Broker
from inzage.deploy.local.topics import ensure_topics
from inzage.schemas.settings import Settings
from inzage.schemas.topics import CHECKPOINTS
from inzage.sinks.leaf import headers_bytes, leaf_bytes
from inzage.sinks.ledger.hashing import HASH_BYTES
from inzage.sinks.logs import read_cluster, topics_of
from inzage.sinks.sealing.archive import Directory
from inzage.sinks.sealing.public import public_rounds

CONTROLLER = "BENCH"
SEALER_CORE, BROKER_CORE = 0, 1
EVENTS_PER_SECOND = 100_000
BYTES_PER_EVENT = 40
GIVE_UP = 600.0  # seconds


def main(
    events: Annotated[int, typer.Option(help="Events on the topic.")] = 400_000,
    partitions: Annotated[int, typer.Option(help="Partitions of the topic.")] = 4,
) -> None:
    """Fill a topic, then seal it; exit 1 when an aim is missed."""
    os.sched_setaffinity(0, {BROKER_CORE})  # inherited by the broker
    with tempfile.TemporaryDirectory() as folder, Broker(Path(folder) / "kafka", heap_megabytes=512) as broker:
        settings = Settings(
            controllers=(CONTROLLER,),
            data_dir=Path(folder) / "data",
            kafka={"bootstrap_servers": broker.bootstrap_servers, "partitions": partitions},
        )
        ensure_topics(settings, [CONTROLLER])
        size = asyncio.run(_fill(settings, events, partitions))
        measured = asyncio.run(_measure(settings, events))
        measured |= {"bytes_beside_an_event": _bytes(settings, Path(folder), events)}
    os.sched_setaffinity(0, {SEALER_CORE})
    plain = _plain(min(events, 100_000))
    said: dict[str, Any] = {
        "benchmark": "sealing",
        "events": events,
        "bytes_per_event": size,
        "partitions": partitions,
    }
    measured |= {"plain_hashing": round(plain), "times_plain_hashing": round(plain / measured["per_cpu_second"], 1)}
    sys.stdout.write(json.dumps({"benchmark": "sealing", **said, **measured}) + "\n")
    right = measured["per_cpu_second"] >= EVENTS_PER_SECOND and measured["bytes_beside_an_event"] < BYTES_PER_EVENT
    raise typer.Exit(0 if right else 1)


async def _measure(settings: Settings, events: int) -> dict[str, Any]:
    """Let a sealer seal the topic; times are between the first and the last round that is public."""
    environment = {
        **os.environ,
        "INZAGE_CONTROLLERS": json.dumps([CONTROLLER]),
        "INZAGE_DATA_DIR": str(settings.data_dir),
        "INZAGE_KAFKA__BOOTSTRAP_SERVERS": settings.kafka.bootstrap_servers,
    }
    command = ["taskset", "-c", str(SEALER_CORE), sys.executable, "-m", "inzage.console.main", "sealer"]
    cluster = read_cluster(settings.kafka, topics_of([CONTROLLER]))
    sealer = subprocess.Popen(command, env=environment)
    seen: list[tuple[float, float, int]] = []
    sizes: dict[str, int] = {}
    until, rounds, checkpoints = 0, 0, 0
    give_up = time.monotonic() + GIVE_UP
    try:
        while not seen or seen[-1][2] < events:
            await asyncio.sleep(0.3)
            if time.monotonic() > give_up or sealer.poll() is not None:
                raise SystemExit("the sealer did not finish")
            at, cpu = time.monotonic(), _cpu(sealer.pid)
            async for one in public_rounds(settings.kafka, cluster.meta_origin, until):
                until, rounds, checkpoints = one.until, rounds + 1, checkpoints + len(one.notes)
                sizes |= {record["origin"]: record["size"] for _, record in one.sealed.statements}
            if sizes and (not seen or sum(sizes.values()) > seen[-1][2]):
                seen.append((at, cpu, sum(sizes.values())))
    finally:
        sealer.terminate()
        sealer.wait(30)
    (first_at, first_cpu, first), (last_at, last_cpu, last) = seen[0], seen[-1]
    return {
        "events_per_second": round((last - first) / (last_at - first_at)),
        "per_cpu_second": round((last - first) / (last_cpu - first_cpu)),
        "rounds": rounds,
        "checkpoints": checkpoints,
    }


def _bytes(settings: Settings, folder: Path, events: int) -> float:
    """Bytes of leaf hashes, of the topic of checkpoints as Kafka keeps it, of the archive and of the state."""
    archive = Directory(settings.data_dir / "archive")
    archived = sum(len(archive.get(name)) for name in archive.names())
    state = sum(file.stat().st_size for file in (settings.data_dir / "sealer").glob("state.sqlite*"))
    topic = sum(file.stat().st_size for file in folder.rglob(f"{CHECKPOINTS}-0/*.log"))
    return round(HASH_BYTES + (archived + state + topic) / events, 2)


def _plain(events: int) -> float:
    """Leaves a second that hashlib hashes on this core."""
    leaves = [
        b"\0" + leaf_bytes(number, 1, 1_772_366_400_000, key, value, headers_bytes(headers))
        for number, (key, value, headers) in enumerate(islice(_events(events), events))
    ]
    best = 0.0
    for _ in range(3):
        begun = time.process_time()
        for leaf in leaves:
            sha256(leaf).digest()
        best = max(best, len(leaves) / (time.process_time() - begun))
    return best


if __name__ == "__main__":
    typer.run(main)
