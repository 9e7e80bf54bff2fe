"""Decides what is public of a cluster's ledger, from the topic of checkpoints: committed rounds, in order.

A round stands whole or not at all: the notes that became leaves of the meta log, then its checkpoint. Records that
are no part of a round (attestations) are left out.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from inzage.schemas.codec import RecordName, decode
from inzage.schemas.errors import ContractError, TamperError, TransientError
from inzage.schemas.kafka_clients import for_aiokafka
from inzage.schemas.settings import KafkaSettings
from inzage.schemas.topics import CHECKPOINTS
from inzage.sinks.sealing.round import Sealed

_PARTITION = TopicPartition(CHECKPOINTS, 0)
_POLL_MS = 500


@dataclass(frozen=True, slots=True)
class Public:
    """A round that is public; the topic goes on at offset `until`."""

    sealed: Sealed
    until: int

    @property
    def first(self) -> int:
        """The size of the meta log before the round."""
        return int(self.sealed.meta["size"]) - len(self.sealed.statements)

    @property
    def notes(self) -> list[str]:
        """The notes that became leaves, in order."""
        return [str(record["note"]) for _, record in self.sealed.statements]


async def public_rounds(kafka: KafkaSettings, meta_origin: str, start: int) -> AsyncIterator[Public]:
    """Each round from offset `start` of the topic on.

    Raises `TamperError` when what stands there is no sequence of rounds, `TransientError` when Kafka does not answer.
    """
    consumer = AIOKafkaConsumer(
        **for_aiokafka(kafka), enable_auto_commit=False, isolation_level="read_committed", auto_offset_reset="none"
    )
    try:
        await consumer.start()
        consumer.assign([_PARTITION])
        begin = (await consumer.beginning_offsets([_PARTITION]))[_PARTITION]
        end = (await consumer.end_offsets([_PARTITION]))[_PARTITION]
        if start > end or begin > 0:
            text = f"{CHECKPOINTS}: offsets {begin} to {end} stand, the sealer was at {start}"
            raise TamperError(text, code="tamper.checkpoints", hint="this topic is never shortened nor made again")
        consumer.seek(_PARTITION, start)
        said: list[tuple[RecordName, dict[str, Any]]] = []
        while await consumer.position(_PARTITION) < end:
            for record in (await consumer.getmany(timeout_ms=_POLL_MS)).get(_PARTITION, ()):
                name, found = _read(record.value, record.offset)
                if name == "attestation":
                    continue
                if found["origin"] == meta_origin:
                    yield Public(Sealed(_leaves(said, found), found), record.offset + 1)
                    said = []
                else:
                    said.append((name, found))
        if said:
            raise TamperError(f"{CHECKPOINTS}: ends within a round", code="tamper.checkpoints")
    except KafkaError as error:
        raise TransientError("the checkpoints topic cannot be read", code="transient.kafka") from error
    finally:
        await consumer.stop()


def _leaves(
    said: list[tuple[RecordName, dict[str, Any]]], meta: dict[str, Any]
) -> tuple[tuple[RecordName, dict[str, Any]], ...]:
    """The statements of a round; they are as many as its checkpoint grew by, in the order it counts them."""
    indexes = [record["meta_index"] for _, record in said]
    if indexes != list(range(meta["size"] - len(said), meta["size"])):
        raise TamperError(f"{CHECKPOINTS}: the round at {meta['size']} is not whole", code="tamper.checkpoints")
    return tuple(said)


def _read(value: bytes | None, offset: int) -> tuple[RecordName, dict[str, Any]]:
    try:
        schema, record = decode(value)
    except ContractError as error:
        raise TamperError(f"{CHECKPOINTS}: offset {offset} cannot be read", code="tamper.checkpoints") from error
    if schema.name not in ("checkpoint", "pruning", "attestation"):
        raise TamperError(f"{CHECKPOINTS}: offset {offset} is a {schema.name}", code="tamper.checkpoints")
    return schema.name, record  # type: ignore[return-value]
