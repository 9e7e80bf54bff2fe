"""A sealer that lost its state, has an old one, or is not the only one: nothing contradictory becomes public."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from kafka.admin import KafkaAdminClient
from kafka.structs import TopicPartition

from inzage.deploy.local.clickhouse.endpoint import Endpoint
from inzage.deploy.local.kafka import Broker
from inzage.schemas.errors import ConfigError, TamperError
from inzage.sinks.ledger.compact_range import CompactRange
from inzage.sinks.ledger.signing_key import signing_key
from inzage.sinks.sealing.publisher import FencedError, Publisher
from inzage.sinks.sealing.round import Cut, Round, Sealed, note_hash, sign
from tests.sealed import archived, as_archived, public_of, sizes_of
from tests.trail_stack import Stack, stack_on

pytestmark = pytest.mark.kafka


@pytest.fixture
def stack(broker: Broker, clickhouse: Endpoint) -> Iterator[Stack]:
    with stack_on(broker, clickhouse, ledger=True, every_seconds=0.05, every_records=64) as made:
        yield made


def _events(stack: Stack, partition: int = 0) -> str:
    topics = {log.partition: log.id for log in stack.cluster().logs(stack.kept(stack.topics.events))}
    return topics[partition]


async def test_a_lost_state_is_made_again_from_what_is_public(stack: Stack, tmp_path: Path) -> None:
    stack.send_activities(range(100))
    await stack.seal(tmp_path)
    (tmp_path / "sealer" / "state.sqlite").unlink()
    stack.send_activities(range(100, 130))
    await stack.seal(tmp_path)
    public = await public_of(stack)
    assert sizes_of(public, _events(stack)) == [64, 100, 130]
    assert archived(tmp_path) == as_archived(public)


async def test_an_old_state_goes_on_from_what_is_public(stack: Stack, tmp_path: Path) -> None:
    stack.send_activities(range(10))
    await stack.seal(tmp_path)
    shutil.copytree(tmp_path / "sealer", tmp_path / "backup")
    stack.send_activities(range(10, 90))
    stack.send_activities(range(5), partition=1)
    await stack.seal(tmp_path)
    shutil.rmtree(tmp_path / "sealer")
    shutil.copytree(tmp_path / "backup", tmp_path / "sealer")
    await stack.seal(tmp_path)
    stack.send_activities(range(90, 91))
    await stack.seal(tmp_path)
    public = await public_of(stack)
    assert (sizes_of(public, _events(stack)), sizes_of(public, _events(stack, 1))) == ([10, 74, 90, 91], [5])
    assert archived(tmp_path) == as_archived(public)


async def test_a_root_that_kafka_does_not_give_stops_it(stack: Stack, tmp_path: Path) -> None:
    """What is public, signed with the sealer's own key, is not what stands on the topic: Kafka was changed."""
    stack.send_activities(range(10))
    signer = signing_key(tmp_path / "sealer" / "key", "inzage-sealer")
    cut = Cut(_events(stack), 0, 7, b"\1" * 32)
    notes = [sign(cut.text, signer)]
    round_ = Round(stack.cluster().meta_origin, 0, (cut,), datetime.now(UTC))
    round_ = round_.over(CompactRange(), [note_hash(note) for note in notes])
    assert round_.meta
    publisher = Publisher(stack.settings.kafka)
    await publisher.start()
    await publisher.publish(Sealed.of(round_, notes, sign(round_.meta.text, signer)).messages())
    await publisher.stop()
    for _ in range(2):  # and again from the state it then has
        with pytest.raises(TamperError) as stopped:
            await stack.seal(tmp_path)
        assert stopped.value.code == "tamper.root"
    assert len(await public_of(stack)) == 1


async def test_another_key_does_not_go_on_with_the_log(stack: Stack, tmp_path: Path) -> None:
    stack.send_activities(range(10))
    await stack.seal(tmp_path / "one")
    with pytest.raises(ConfigError, match="signed with another key"):
        await stack.seal(tmp_path / "other")
    old = (tmp_path / "one" / "sealer" / "key.pub").read_text("ascii")
    stack.settings.sealing.trusted_keys = (old,)
    stack.send_activities(range(10, 12))
    await stack.seal(tmp_path / "other")
    assert sizes_of(await public_of(stack), _events(stack)) == [10, 12]


async def test_records_removed_without_a_statement_stop_it(stack: Stack, broker: Broker, tmp_path: Path) -> None:
    stack.send_activities(range(10))
    await stack.seal(tmp_path)
    stack.send_activities(range(10, 20))
    admin = KafkaAdminClient(bootstrap_servers=broker.bootstrap_servers, bootstrap_timeout_ms=10_000)
    try:
        admin.delete_records({TopicPartition(stack.topics.events, 0): 15})
    finally:
        admin.close()
    with pytest.raises(TamperError) as stopped:
        await stack.seal(tmp_path)
    assert stopped.value.code == "tamper.gap"


async def test_the_sealer_before_is_fenced(stack: Stack, tmp_path: Path) -> None:
    """Two sealers with one key: the older one's signatures never become public, and it ends."""
    old, new = tmp_path / "old", tmp_path / "new"
    stack.send_activities(range(10))
    await stack.seal(old)
    shutil.copytree(old / "archive", new / "archive")
    (new / "sealer").mkdir(mode=0o700)
    shutil.copy(old / "sealer" / "key", new / "sealer" / "key")
    zombie = stack.sealer(old)
    running = asyncio.create_task(zombie.run())
    while not zombie.sealed_until:
        await asyncio.sleep(0.01)
    await stack.seal(new)
    stack.send_activities(range(10, 17))
    with pytest.raises(FencedError):
        await running
    stack.send_activities(range(17, 30))
    await stack.seal(new)
    public = await public_of(stack)
    assert sizes_of(public, _events(stack)) == [10, 30]
    assert archived(new) == as_archived(public)
    with pytest.raises(TamperError, match="not what this sealer kept"):
        await stack.seal(old)
    assert len(await public_of(stack)) == len(public)


async def test_one_state_is_for_one_process(stack: Stack, tmp_path: Path) -> None:
    first = stack.sealer(tmp_path)
    with pytest.raises(ConfigError, match="in use by another sealer"):
        stack.sealer(tmp_path)
    first.stop()
    await first.run()
