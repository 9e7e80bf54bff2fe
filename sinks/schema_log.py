"""Keeps the schemas that others wrote with, read from the schemas topic when one is met that is not known.

A schema is believed for what its text is: its fingerprint is computed, not taken from the record.
"""

from __future__ import annotations

import time
from collections.abc import Mapping

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from inzage.schemas.codec import Schema
from inzage.schemas.errors import ContractError, TransientError
from inzage.schemas.kafka_clients import for_aiokafka
from inzage.schemas.settings import KafkaSettings
from inzage.schemas.topics import SCHEMAS
from inzage.sinks.block import read_schema

READ_AGAIN_AFTER = 5.0  # seconds: a stream of records of an unknown schema must not read the topic each time


class SchemaLog:
    """The schemas of the topic by the ten bytes a message starts with."""

    def __init__(self, kafka: KafkaSettings) -> None:
        self._kafka = kafka
        self._schemas: dict[bytes, Schema] = {}
        self._read_at = -READ_AGAIN_AFTER

    @property
    def schemas(self) -> Mapping[bytes, Schema]:
        return self._schemas

    async def look_up(self) -> None:
        """Read the topic to its end; at once again only after `READ_AGAIN_AFTER`.

        Raises `TransientError` when Kafka does not answer.
        """
        if time.monotonic() - self._read_at < READ_AGAIN_AFTER:
            return
        consumer = AIOKafkaConsumer(**for_aiokafka(self._kafka), enable_auto_commit=False)
        try:
            await consumer.start()
            await self._read(consumer)
        except KafkaError as error:
            raise TransientError("the schemas topic cannot be read", code="transient.kafka") from error
        finally:
            await consumer.stop()
        self._read_at = time.monotonic()

    async def _read(self, consumer: AIOKafkaConsumer) -> None:
        partition = TopicPartition(SCHEMAS, 0)
        consumer.assign([partition])
        await consumer.seek_to_beginning(partition)
        end = (await consumer.end_offsets([partition]))[partition]
        while await consumer.position(partition) < end:
            for records in (await consumer.getmany(timeout_ms=500)).values():
                for record in records:
                    try:
                        schema = read_schema(record.value)[0]
                    except ContractError:
                        continue  # the sink says so where it keeps this very record
                    self._schemas[schema.header] = schema
