"""Makes the screening of a partition ready when it is assigned: its dossiers, counters and recent events."""

from __future__ import annotations

from collections.abc import Mapping

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError
from aiokafka.structs import TopicPartition

from inzage.schemas.codec import Schema, datum_for_columns, split
from inzage.schemas.errors import ContractError, TransientError
from inzage.schemas.settings import KafkaSettings
from inzage.schemas.topics import ControllerTopics
from inzage.streams.dossier.store import DossierStore, is_count
from inzage.streams.screening.redelivery import Redeliveries
from inzage.streams.transport.compacted import Follower, read_to_end
from inzage.streams.transport.connection import aiokafka_options


async def load_dossiers(
    kafka: KafkaSettings, topics: ControllerTopics, partition: int, most_open: int | None = None
) -> DossierStore:
    """The dossiers of a partition as its last worker left them; raises `TransientError`.

    `most_open` of them stay decoded; None: all that were spoken of.
    """
    store = DossierStore(most_open)
    async for block in read_to_end(kafka, topics.dossiers, [partition]):
        for record in block:
            if record.value is not None:
                store.keep(record.value)
    return store


async def load_recent(
    kafka: KafkaSettings,
    topics: ControllerTopics,
    partition: int,
    first: int,
    also: Mapping[bytes, Schema] | None = None,
) -> Redeliveries:
    """The ids of the events in the window before offset `first`; raises `TransientError`.

    `also` holds schemas read from the schemas topic.
    """
    recent = Redeliveries()
    place = TopicPartition(topics.events, partition)
    consumer = AIOKafkaConsumer(**aiokafka_options(kafka), enable_auto_commit=False, auto_offset_reset="earliest")
    try:
        await consumer.start()
        consumer.assign([place])
        begin = max((await consumer.beginning_offsets([place]))[place], (first // recent.window - 1) * recent.window)
        consumer.seek(place, begin)
        position = begin
        while position < first:
            for records in (await consumer.getmany(place, timeout_ms=1000, max_records=20_000)).values():
                for record in records:
                    if record.offset < first:
                        _remember(recent, record.offset, record.value, also)
            position = await consumer.position(place)
    except KafkaError as error:
        raise TransientError(f"{topics.events} cannot be read: {type(error).__name__}") from error
    finally:
        await consumer.stop()
    return recent


def _remember(recent: Redeliveries, offset: int, value: bytes | None, also: Mapping[bytes, Schema] | None) -> None:
    try:
        schema = split(value, also=also)
        if schema.name == "activity" and value is not None:
            recent.is_new(offset, datum_for_columns(value, schema)[1])
    except ContractError:
        pass  # it was dead-lettered when it was judged


class CounterFeed:
    """Follows the counters on a controller's dossiers topic, by partition; what it passes of persons is not kept."""

    def __init__(self, kafka: KafkaSettings, topics: ControllerTopics) -> None:
        self._follower = Follower(kafka, topics.dossiers)
        self._stores: dict[int, DossierStore] = {}

    async def start(self) -> None:
        """Connect; raises `TransientError`."""
        await self._follower.start()

    async def stop(self) -> None:
        await self._follower.stop()

    async def catch_up(self) -> None:
        """Read to the end as of now; raises `TransientError`."""
        async for block in self._follower.catch_up():
            for record in block:
                if record.value is not None and is_count(record.key):
                    self.of(record.partition).keep(record.value)

    def of(self, partition: int) -> DossierStore:
        """The counters of a partition of the events topic; the same one each time."""
        return self._stores.setdefault(partition, DossierStore())
