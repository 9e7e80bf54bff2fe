"""Measures how fast the verifier is, on one core, in a trail of five million rows; and how much memory it takes.

    python -m benchmarks.verification [--rows 5000000] [--logs 4]

The rows are made by the writer's own encoder in blocks and sealed with its ledger code. One JSON line on stdout:
`hashed_per_second` is leaf hashes and tree over rows that lie in memory, beside plain hashlib over the same bytes;
`leaves_per_cpu_second` is the whole of `inzage verify --no-columns`, reading included, and `decoded_per_cpu_second`
with all typed columns compared; both count the verifier's processor time, not that of ClickHouse.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any

import typer

from benchmarks.sink import _events
from inzage.deploy.local.clickhouse.access import Access
from inzage.deploy.local.clickhouse.endpoint import Endpoint
from inzage.schemas.settings import Settings
from inzage.schemas.topics import CHECKPOINTS
from inzage.sinks.block import blocks_of
from inzage.sinks.connection import open_clickhouse
from inzage.sinks.leaf import headers_bytes, leaf_bytes, leaf_hash
from inzage.sinks.ledger.compact_range import CompactRange
from inzage.sinks.ledger.signing_key import signing_key
from inzage.sinks.logs import Log, Said, Topic
from inzage.sinks.row import Leaf
from inzage.sinks.sealing.round import Cut, Round, Sealed, note_hash, sign
from inzage.sinks.trail import Trail
from inzage.sinks.verification.leaf import Leaves, leaf_hashes

CONTROLLER, CLUSTER, TOPIC_ID = "BENCH", "bench", "00000000-0000-0000-0000-000000000001"
BLOCK = 49_152
EVERY = 65_536
BEGAN = int(datetime(2026, 3, 1, tzinfo=UTC).timestamp() * 1000)
IN_MEMORY = 200_000


def main(
    rows: Annotated[int, typer.Option(help="Rows of the trail.")] = 5_000_000,
    logs: Annotated[int, typer.Option(help="Partitions they are in.")] = 4,
) -> None:
    """Make a sealed trail, then verify it twice."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        with Endpoint(data / "clickhouse", access=Access.EVERYTHING, fsync=False) as endpoint:
            settings = Settings(controllers=(CONTROLLER,), data_dir=data, clickhouse={"url": endpoint.url})
            client = open_clickhouse(settings.clickhouse, answer_within=300)
            size = _fill(Trail(client, settings.clickhouse.database), settings, rows, logs)
            said = {"benchmark": "verification", "rows": rows, "logs": logs, "bytes_per_row": size}
            hashing = _hashing(next(_leaves(IN_MEMORY)))
            leaves = _verify(settings, "--no-columns")
            columns = _verify(settings, "--columns")
            assert leaves["leaves"] == columns["decoded"] == rows
    measured = {
        **hashing,
        "leaves_per_cpu_second": round(rows / leaves["cpu"]),
        "decoded_per_cpu_second": round(rows / columns["cpu"]),
        "seconds": round(leaves["seconds"], 1),
        "seconds_with_columns": round(columns["seconds"], 1),
        "peak_megabytes": max(leaves["megabytes"], columns["megabytes"]),
    }
    sys.stdout.write(json.dumps({**said, **measured}) + "\n")


def _log(partition: int) -> Log:
    topic = Topic(f"inzage.{CONTROLLER.lower()}.events.v1", Said.EVENTS, CONTROLLER)
    return Log(topic, partition, CLUSTER, TOPIC_ID)


def _leaves(count: int) -> Iterator[list[Leaf]]:
    """Records of a log in batches, hashed by the writer's encoder."""
    made: list[Leaf] = []
    for offset, (key, value, headers) in enumerate(_events(count)):
        at, head = BEGAN + offset, headers_bytes(headers)
        hashed = leaf_hash(leaf_bytes(offset, 1, at, key, value, head))
        made.append(Leaf(offset, at, 1, key, value, head, hashed))
        if len(made) == max(BLOCK, min(count, IN_MEMORY)) or offset == count - 1:
            yield made
            made = []


def _fill(trail: Trail, settings: Settings, rows: int, logs: int) -> int:
    """Insert and seal; returns the mean size of a row's value in bytes."""
    cuts: list[Cut] = []
    size = 0
    for partition in range(logs):
        log, tree = _log(partition), CompactRange()
        for made in _leaves(rows // logs):
            size += sum(len(leaf.value or b"") for leaf in made)
            for begin in range(0, len(made), BLOCK):
                part = made[begin : begin + BLOCK]
                for block in blocks_of(log, 0, part, {})[0]:
                    trail.client.raw_insert(f"inzage.{block.table.name}", insert_block=block.body, fmt="Avro")
                hashes = [leaf.hash for leaf in part]
                while hashes:
                    room = EVERY - tree.size % EVERY
                    subtrees = tree.extend(hashes[:room])
                    hashes = hashes[room:]
                    cuts.append(Cut(log.id, 0, tree.size, tree.root(), tuple(subtrees)))
    _seal(trail, settings, cuts)
    return size // rows


def _seal(trail: Trail, settings: Settings, cuts: list[Cut]) -> None:
    signer = signing_key(settings.data_dir / "sealer" / "key", settings.sealing.key_name)
    notes = [sign(cut.text, signer) for cut in cuts]
    round_ = Round(f"inzage/meta/{CLUSTER}", 0, tuple(cuts), datetime.now(UTC))
    round_ = round_.over(CompactRange(), [note_hash(note) for note in notes])
    assert round_.meta
    sealed = Sealed.of(round_, notes, sign(round_.meta.text, signer))
    file = settings.data_dir / "archive" / sealed.archive_name
    file.parent.mkdir(parents=True)
    file.write_bytes(sealed.archived())
    log = Log(Topic(CHECKPOINTS, Said.CHECKPOINTS, None), 0, CLUSTER, "00000000-0000-0000-0000-000000000002")
    leaves = []
    for offset, (key, value) in enumerate(sealed.messages()):
        hashed = leaf_hash(leaf_bytes(offset, 1, BEGAN, key, value, bytes(4)))
        leaves.append(Leaf(offset, BEGAN, 1, key, value, bytes(4), hashed))
    for block in blocks_of(log, 0, leaves, {})[0]:
        trail.client.raw_insert(f"inzage.{block.table.name}", insert_block=block.body, fmt="Avro")


def _hashing(leaves: list[Leaf]) -> dict[str, Any]:
    """Leaf hashes and tree over rows in memory, beside hashlib over the same bytes."""
    offsets, times, types, keys, values, headers, hashes = map(list, zip(*leaves, strict=True))
    columns: Any = (offsets, offsets, times, types, keys, values, headers, hashes, [""] * len(offsets))
    rows = Leaves(*columns)
    assert leaf_hashes(rows) == hashes
    ours = _best(lambda: CompactRange().extend(leaf_hashes(rows)))
    encoded = [b"\0" + leaf_bytes(one.offset, 1, one.timestamp, one.key, one.value, one.headers) for one in leaves]
    plain = _best(lambda: [sha256(one).digest() for one in encoded])
    return {
        "hashed_per_second": round(len(leaves) / ours),
        "plain_hashlib_per_second": round(len(leaves) / plain),
        "ratio": round(plain / ours, 2),
    }


def _best(work: Callable[[], object]) -> float:
    """Seconds of processor time of the best of three: what else runs on the machine only adds to it."""
    taken = []
    for _ in range(3):
        began = time.process_time()
        work()
        taken.append(time.process_time() - began)
    return min(taken)


def _verify(settings: Settings, *options: str) -> dict[str, Any]:
    """Run `inzage verify` on one core; what it took."""
    environment = {
        **os.environ,
        "INZAGE_CONTROLLERS": json.dumps([CONTROLLER]),
        "INZAGE_DATA_DIR": str(settings.data_dir),
        "INZAGE_CLICKHOUSE__URL": settings.clickhouse.url,
    }
    command = [sys.executable, "-m", "inzage.console.main", "verify", "--jobs", "1", "--no-state", "-o", "json"]
    began = time.monotonic()
    process = subprocess.Popen([*command, *options], env=environment, stdout=subprocess.PIPE)
    assert process.stdout
    said = json.loads(process.stdout.read())
    _, status, used = os.wait4(process.pid, 0)
    assert status == 0, said
    cpu = used.ru_utime + used.ru_stime
    return {**said, "cpu": cpu, "seconds": time.monotonic() - began, "megabytes": used.ru_maxrss >> 10}


if __name__ == "__main__":
    typer.run(main)
