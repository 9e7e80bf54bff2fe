"""What the batch transport overrides or calls in Faust, mode and aiokafka that is not their public interface.

The names and signatures are those that were read and measured: faust-streaming 0.15.3, aiokafka 0.14. A
failure means that an upgrade moved a seam: read the new code before changing this list.
"""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.client import AIOKafkaClient
from aiokafka.consumer.fetcher import Fetcher, FetchResult
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.producer.producer import AIOKafkaProducer
from faust.app.base import App
from faust.tables.recovery import Recovery
from faust.transport.consumer import Consumer as BaseConsumer
from faust.transport.consumer import ConsumerThread, ThreadDelegateConsumer
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread, Consumer
from faust.types.tuples import ConsumerMessage
from mode.threads import QueueServiceThread
from mode.utils.queues import FlowControlQueue

from inzage.schemas.settings import KafkaSettings
from inzage.streams.transport.app import BatchApp
from inzage.streams.transport.consumer import BatchConsumer, BatchConsumerThread

SIGNATURES: list[tuple[Callable[..., Any], list[str]]] = [
    # overridden
    (Consumer._new_consumer_thread, ["self"]),
    (BaseConsumer.getmany, ["self", "timeout"]),
    (BaseConsumer._new_offset, ["self", "tp"]),
    (BaseConsumer._commit_offsets, ["self", "offsets", "start_new_transaction"]),
    (BaseConsumer._add_gap, ["self", "tp", "offset_from", "offset_to"]),
    (BaseConsumer.stop_flow, ["self"]),
    (BaseConsumer.perform_seek, ["self"]),
    (inspect.unwrap(BaseConsumer.on_partitions_revoked), ["self", "revoked"]),
    (inspect.unwrap(BaseConsumer.on_partitions_assigned), ["self", "assigned", "generation_id"]),
    (AIOKafkaConsumerThread._create_worker_consumer, ["self", "transport"]),
    (App._new_transport, ["self"]),
    (App._create_directories, ["self"]),
    (App.stop, ["self"]),
    # called
    (BaseConsumer._get_active_partitions, ["self"]),
    (BaseConsumer._is_changelog_tp, ["self", "tp"]),
    (BaseConsumer.commit, ["self", "topics", "start_new_transaction"]),
    (Consumer._to_message, ["self", "tp", "record"]),
    (ThreadDelegateConsumer._getmany, ["self", "active_partitions", "timeout"]),
    (ThreadDelegateConsumer.position, ["self", "tp"]),
    (ThreadDelegateConsumer.highwater, ["self", "tp"]),
    (AIOKafkaConsumerThread.seek_to_beginning, ["self", "partitions"]),
    (AIOKafkaConsumerThread._ensure_consumer, ["self"]),
    (QueueServiceThread.call_thread, ["self", "fun", "args", "kwargs"]),
    (AIOKafkaProducer.create_batch, ["self"]),
    (AIOKafkaProducer.send_batch, ["self", "batch", "topic", "partition"]),
    (BatchBuilder.append, ["self", "timestamp", "key", "value", "headers"]),
    (AIOKafkaClient._wait_on_metadata, ["self", "topic"]),
    (FlowControlQueue.clear, ["self"]),
]

# Not overridden, but their order of steps is what the argument for "nothing is skipped" rests on.
READ_AND_RELIED_ON: dict[str, tuple[Any, str]] = {
    "drains getmany, drops below the read offset": (BaseConsumer._drain_messages, "44a2500309e8"),
    "stops the flow, empties queues, waits for agents": (App._on_partitions_revoked, "d5c895bbe57d"),
    "seeks, then resumes the flow": (Recovery._resume_streams, "d986a6710c1a"),
    "moves the position when it returns records": (Fetcher.fetched_records, "be4348896b9b"),
    "returns nothing after a seek": (FetchResult.getall, "3e717e30de50"),
    "leaves partitions without a commit in place": (AIOKafkaConsumer.seek_to_committed, "f6cd85c8b70a"),
}


def test_the_versions_are_those_that_were_read() -> None:
    assert version("faust-streaming") == "0.15.3"
    assert version("aiokafka").startswith("0.14.")


@pytest.mark.parametrize(("seam", "parameters"), SIGNATURES, ids=lambda seam: getattr(seam, "__qualname__", ""))
def test_a_seam_keeps_its_signature(seam: Callable[..., Any], parameters: list[str]) -> None:
    assert list(inspect.signature(seam).parameters) == parameters


@pytest.mark.parametrize("what", READ_AND_RELIED_ON)
def test_code_relied_on_is_the_code_that_was_read(what: str) -> None:
    function, fingerprint = READ_AND_RELIED_ON[what]
    source = inspect.getsource(inspect.unwrap(function))
    assert hashlib.sha256(source.encode()).hexdigest()[:12] == fingerprint


@pytest.mark.parametrize(
    ("overriding", "base"),
    [(BatchConsumer, Consumer), (BatchConsumerThread, AIOKafkaConsumerThread), (BatchApp, App)],
)
def test_no_private_method_is_shadowed_by_accident(overriding: type, base: type) -> None:
    """A new upstream method with a name of ours would be overridden without anybody having read it."""
    known = {seam.__name__ for seam, _ in SIGNATURES} | {
        "__init__",
        "__module__",
        "__doc__",
        "__annotations__",
    }
    ours = {
        name for name, value in vars(overriding).items() if inspect.isfunction(value) or isinstance(value, property)
    }
    shadowed = {name for name in ours if hasattr(base, name)} - known
    assert not shadowed


async def test_a_consumer_has_the_state_that_is_read(app: BatchApp) -> None:
    consumer = app.transport.create_consumer(
        callback=app.topics.on_message,
        on_partitions_revoked=app._on_partitions_revoked,
        on_partitions_assigned=app._on_partitions_assigned,
    )
    for name in ("_acked", "_acked_index", "_committed_offset", "_read_offset", "_buffered_partitions"):
        assert hasattr(consumer, name)
    assert consumer.flow_active and not consumer._paused_partitions
    assert isinstance(consumer, BatchConsumer) and isinstance(consumer._thread, BatchConsumerThread)
    assert isinstance(consumer._thread, ConsumerThread)


async def test_the_consumer_thread_builds_the_consumer_that_was_asked_for(app: BatchApp) -> None:
    consumer = app._new_consumer()._thread._create_worker_consumer(app.transport)
    assert consumer._fetch_max_wait_ms == 100
    assert consumer._max_partition_fetch_bytes == app.batch_settings.max_partition_fetch_bytes
    assert consumer._auto_offset_reset == "none"
    assert consumer._enable_auto_commit is False
    await consumer._client.close()


def test_messages_take_the_fields_in_this_order() -> None:
    names = list(inspect.signature(ConsumerMessage.__init__).parameters)
    assert names[1:13] == [
        *(
            "topic",
            "partition",
            "offset",
            "timestamp",
            "timestamp_type",
            "headers",
            "key",
            "value",
            "checksum",
        ),
        *("serialized_key_size", "serialized_value_size", "tp"),
    ]


@pytest.fixture
async def app() -> BatchApp:
    return BatchApp("contract", kafka=KafkaSettings())
