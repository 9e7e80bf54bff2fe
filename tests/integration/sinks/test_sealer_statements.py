"""What the sealer says besides checkpoints: statements of retention that were asked for, and what others attest."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from kafka.admin import KafkaAdminClient
from kafka.structs import TopicPartition

from inzage.deploy.local.clickhouse.endpoint import Endpoint
from inzage.deploy.local.kafka import Broker
from inzage.schemas import codec
from inzage.schemas.topics import PRUNING_REQUESTS
from inzage.sinks.ledger.compact_range import CompactRange
from inzage.sinks.ledger.note import Note
from inzage.sinks.ledger.proofs import verify_consistency
from inzage.sinks.ledger.tree import Tree
from inzage.sinks.sealing.attestation import Sight
from tests.sealed import archived, as_archived, public_of, sizes_of
from tests.trail_stack import Stack, stack_on

pytestmark = pytest.mark.kafka


@pytest.fixture
def stack(broker: Broker, clickhouse: Endpoint) -> Iterator[Stack]:
    with stack_on(broker, clickhouse, ledger=True, every_seconds=0.05, every_records=64) as made:
        yield made


async def _request(stack: Stack, index: int, size: int, **other: Any) -> dict[str, Any]:
    """A request to drop the events log below `index`, proven up to `size`, made from the trail."""
    [log, *_] = stack.cluster().logs(stack.kept(stack.topics.events))
    await stack.keep_sealed()
    sql = f"SELECT hex(leaf_hash) FROM trail.log WHERE log_id = '{log.id}' ORDER BY offset"
    leaves = [bytes.fromhex(leaf) for (leaf,) in stack.rows(sql)]
    dropped = CompactRange()
    dropped.extend(leaves[:index])

    def rows(level: int, first: int, count: int) -> Sequence[bytes]:
        assert level == 0
        return leaves[first : first + count]

    asked = {
        "request_id": f"{log.id} {index}",
        "origin": log.id,
        "minimum_index": index,
        "minimum_offset": index,
        "frontier": dropped.hashes(),
        "size": size,
        "consistency": Tree(size, rows).consistency_proof(index),
        "reason": "ten years, CIGNA",
        "approver": "privacy officer",
        "requested_at": datetime(2036, 3, 1, tzinfo=UTC),
    }
    return {**asked, **other}


def _ask(stack: Stack, *requests: Mapping[str, Any]) -> None:
    messages = [codec.encode("pruning_request", request) for request in requests]
    stack.send(PRUNING_REQUESTS, [(None, message) for message in messages])


async def test_a_pruning_that_is_proven_is_stated_once(stack: Stack, broker: Broker, tmp_path: Path) -> None:
    """Whatever else is asked is refused; when the records are gone, a lost state begins at the statement."""
    stack.send_activities(range(100))
    await stack.seal(tmp_path)
    good = await _request(stack, 37, 64)
    stack.send(PRUNING_REQUESTS, [(None, b"no request"), (b"k", None)])
    _ask(
        stack,
        {**good, "minimum_index": 36, "minimum_offset": 36},
        {**good, "frontier": [b"\1" * 32, *good["frontier"][1:]]},
        {**good, "frontier": good["frontier"][:-1]},
        {**good, "frontier": [b"short", *good["frontier"][1:]]},
        {**good, "minimum_offset": 38},
        {**good, "size": 65},
        {**good, "minimum_index": 101, "minimum_offset": 101},
        {**good, "origin": stack.cluster().meta_origin},
        {**good, "reason": "two\nlines"},
        good,
        good,
        {**good, "reason": "again"},
    )
    stack.send_activities(range(100, 105))
    await stack.seal(tmp_path)
    public = await public_of(stack)
    [said] = [record for one in public for name, record in one.sealed.statements if name == "pruning"]
    same = ("origin", "minimum_index", "minimum_offset", "frontier", "reason", "approver")
    assert {name: said[name] for name in same} == {name: good[name] for name in same}
    assert said["size"] == 100, "of the newest checkpoint"
    lines = Note.read(said["note"]).text.split("\n")
    assert lines[1] == "pruned below 37 offset 37"
    assert lines[4:] == ["reason ten years, CIGNA", "approver privacy officer", ""]
    await stack.keep_sealed()
    assert stack.rows("SELECT minimum_index, approver FROM trail.prunings") == [(37, "privacy officer")]

    admin = KafkaAdminClient(bootstrap_servers=broker.bootstrap_servers, bootstrap_timeout_ms=10_000)
    try:
        admin.delete_records({TopicPartition(stack.topics.events, 0): 37})
    finally:
        admin.close()
    (tmp_path / "sealer" / "state.sqlite").unlink()
    stack.send_activities(range(105, 110))
    await stack.seal(tmp_path)
    public = await public_of(stack)
    assert sizes_of([one for one in public if one.sealed.statements[0][0] != "pruning"], good["origin"])[-1] == 110
    assert archived(tmp_path) == as_archived(public)


class Slow:
    """Attests slowly the first time, fails the second, and checks that it may prove what it says."""

    every_seconds = 0.01

    def missing(self, note: str) -> bool:
        return False

    def __init__(self) -> None:
        self.seen: list[Sight] = []
        self.before: tuple[int, bytes] | None = None

    def attest(self, sight: Sight) -> Sequence[Mapping[str, Any]]:
        self.seen.append(sight)
        if self.before:
            size, root = self.before
            verify_consistency(size, sight.size, root, sight.root, sight.tree.consistency_proof(size))
        self.before = sight.size, sight.root
        time.sleep(0.5)
        if len(self.seen) == 2:
            raise RuntimeError("the witness is broken")
        return [
            {
                "origin": sight.origin,
                "size": sight.size,
                "root": sight.root,
                "kind": "COSIGNATURE",
                "by": "witness",
                "note": sight.note,
                "token": None,
                "attested_at": datetime(2026, 3, 1, tzinfo=UTC),
            }
        ]


async def test_attesting_never_delays_sealing(stack: Stack, tmp_path: Path) -> None:
    attestor = Slow()
    sealer = stack.sealer(tmp_path, attestor=attestor)
    running = asyncio.create_task(sealer.run())
    sent = 0
    while len(attestor.seen) < 4:
        assert not running.done()
        await asyncio.to_thread(stack.send_activities, range(sent, sent + 3))
        sent += 3
    await asyncio.sleep(0.6)
    sealer.stop()
    await running
    await stack.keep_sealed()
    public = await public_of(stack)
    sizes = [sight.size for sight in attestor.seen]
    assert sizes == sorted(set(sizes))
    assert len(public) > len(sizes), "rounds went on while somebody was asked"
    kept = [size for (size,) in stack.rows("SELECT size FROM trail.attestations ORDER BY log_offset")]
    assert kept[:3] == [sizes[0], *sizes[2:4]]
