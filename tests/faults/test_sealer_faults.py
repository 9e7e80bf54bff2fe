"""Wherever sealer and sink are ended, no size has two roots, and topic, archive and trail say the same, once."""

from __future__ import annotations

import json
import random
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
from kafka import KafkaProducer

from inzage.deploy.local.clickhouse.endpoint import Endpoint
from inzage.deploy.local.kafka import Broker
from inzage.schemas import codec
from inzage.sinks.ledger.checkpoint import Checkpoint
from inzage.sinks.sealing.public import Public
from inzage.sinks.sealing.rounds import Point
from inzage.sinks.status import trail_status
from tests.faults.forking import KILLED, Forking
from tests.sealed import archived, as_archived, public_of
from tests.trail_stack import Stack, activity, stack_on

pytestmark = pytest.mark.kafka

SEALERS = 90
SEED = 7


@pytest.fixture
def stack(broker: Broker, clickhouse: Endpoint) -> Iterator[Stack]:
    with stack_on(broker, clickhouse, ledger=True, every_seconds=0.05, every_records=64) as made:
        yield made


@pytest.mark.slow
async def test_killed_at_every_point(stack: Stack, tmp_path: Path) -> None:
    """Sealers and sinks live side by side; each ends itself somewhere, and the next goes on."""
    draw = random.Random(SEED)
    points = [*get_args(Point)] * (SEALERS // len(get_args(Point)) + 1)
    draw.shuffle(points)
    records = [activity(number, stack.controller) for number in range(50)]
    messages = [(record["subject"]["pseudonym"].encode(), codec.encode("activity", record)) for record in records]
    over = threading.Event()
    sinks: Counter[int] = Counter()
    keeping = threading.Thread(target=_keep_ending_sinks, args=(stack, tmp_path, over, sinks))
    keeping.start()
    sealers: Counter[int] = Counter()
    forking = Forking()
    producer = KafkaProducer(bootstrap_servers=stack.settings.kafka.bootstrap_servers)
    begun = time.monotonic()
    try:
        for point in points[:SEALERS]:
            for key, message in draw.choices(messages, k=draw.randrange(1, 90)):
                producer.send(stack.topics.events, message, key, partition=draw.randrange(2))
            producer.flush()
            count = draw.choice((1, 1, 1, 2))
            sealers[_run(forking, stack, tmp_path, "sealer", point=point, count=count)] += 1
    finally:
        over.set()
        forking.close()
        producer.close()
        keeping.join()
    seconds = time.monotonic() - begun
    sys.stdout.write(f"sealers {dict(sealers)}, sinks {dict(sinks)} in {seconds:.0f} s\n")
    assert set(sealers) | set(sinks) <= {0, KILLED}
    assert sealers[KILLED] > SEALERS * 0.7
    assert sinks[KILLED] > 5
    await stack.seal(tmp_path)
    await stack.keep_sealed()
    await _all_agree(stack, tmp_path)


def _run(forking: Forking, stack: Stack, folder: Path, what: str, **arguments: object) -> int:
    return forking.run(what=what, settings=stack.settings.model_dump_json(), folder=str(folder), **arguments)


def _keep_ending_sinks(stack: Stack, folder: Path, over: threading.Event, codes: Counter[int]) -> None:
    forking, draw = Forking(), random.Random(SEED)
    try:
        while not over.is_set():
            point = draw.choice(("before-insert", "mid-insert", "after-insert"))
            codes[_run(forking, stack, folder, "sink", point=point)] += 1
    finally:
        forking.close()


async def _all_agree(stack: Stack, folder: Path) -> None:
    public = await public_of(stack)
    _no_size_has_two_roots(folder)
    assert archived(folder) == as_archived(public)
    notes = [note for one in public for note in [*one.notes, one.sealed.meta["note"]]]
    assert [note for (note,) in stack.rows("SELECT note FROM trail.checkpoints ORDER BY log_offset")] == notes
    logs = [log for log in trail_status(stack.settings) if stack.controller.lower() in log.topic]
    assert all(log.complete and log.lag == 0 and log.unsealed == 0 for log in logs)
    for log in logs:
        if log.rows:
            assert stack.recomputed(log.log_id, log.rows).root() == _root(public, log.log_id, log.rows)


def _no_size_has_two_roots(folder: Path) -> None:
    """Of everything that was ever signed, public or not."""
    roots: dict[tuple[str, int], set[bytes]] = defaultdict(set)
    for line in (folder / "signed").read_text("utf-8").splitlines():
        signed = Checkpoint.read(json.loads(line))
        roots[signed.origin, signed.size].add(signed.root)
    assert all(len(found) == 1 for found in roots.values())


def _root(public: list[Public], origin: str, size: int) -> bytes:
    [root] = [
        record["root"]
        for one in public
        for _, record in one.sealed.statements
        if (record["origin"], record["size"]) == (origin, size)
    ]
    return bytes(root)
