"""Reads Kafka as a further source: the statements on the topic of checkpoints, and the records of a log as they are.

Kafka need not be believed: its records only count where their hashes lead to a signed root.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from kafka import KafkaConsumer, TopicPartition
from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError

from inzage.schemas.codec import decode
from inzage.schemas.errors import ContractError, TransientError
from inzage.schemas.kafka_clients import for_kafka_python
from inzage.schemas.settings import KafkaSettings
from inzage.schemas.topics import CHECKPOINTS
from inzage.sinks.verification.evidence import AttestedLog, PrunedLog, SealedLog, Told, claimed
from inzage.sinks.verification.finding import Finding, tamper
from inzage.sinks.verification.leaf import Leaves, headers_of, leaf_hashes

SOURCE = "Kafka"

_ANSWER_WITHIN_MS = 10_000


class KafkaRecords:
    """Reads partitions by origin; raises `TransientError` when no broker answers."""

    def __init__(self, kafka: KafkaSettings) -> None:
        self._kafka = kafka
        try:
            admin = KafkaAdminClient(**for_kafka_python(kafka), bootstrap_timeout_ms=_ANSWER_WITHIN_MS)
            try:
                self._names = {str(UUID(str(one["topic_id"]))): one["name"] for one in admin.describe_topics()}
            finally:
                admin.close()
        except (KafkaError, OSError) as error:
            raise _away(kafka) from error

    def told(self) -> Told:
        """What stands on the topic of checkpoints, as far as its transactions were committed."""
        checkpoints: list[SealedLog] = []
        prunings: list[PrunedLog] = []
        attestations: list[AttestedLog] = []
        findings: list[Finding] = []
        for record in self._read(TopicPartition(CHECKPOINTS, 0), 0, None):
            try:
                schema, said = decode(record.value)
            except ContractError:
                what = f"offset {record.offset} of {CHECKPOINTS} cannot be read"
                findings.append(tamper("archive.unreadable", "", what, source=SOURCE))
                continue
            if schema.name == "checkpoint":
                trees = [(tree["level"], tree["index"], tree["hash"]) for tree in said.pop("subtrees")]
                checkpoints.append(SealedLog(**said, subtrees=claimed(trees)))
            elif schema.name == "pruning":
                stated = {**said, "frontier": tuple(said["frontier"]), "sealed_at": said["stated_at"]}
                del stated["stated_at"]
                prunings.append(PrunedLog(**stated))
            elif schema.name == "attestation":
                attestations.append(
                    AttestedLog(said["origin"], said["size"], said["kind"], said["note"], said["token"])
                )
        return Told(SOURCE, checkpoints, prunings, attestations, findings)

    def leaf_hashes(self, origin: str, first: int, end: int) -> Sequence[bytes] | None:
        """The leaf hashes of the records of a log from offset `first` up to `end`, None unless all are there."""
        *_, topic_id, partition = origin.split("/")
        name = self._names.get(topic_id)
        if name is None:
            return None
        rows = Leaves.none()
        for record in self._read(TopicPartition(name, int(partition)), first, end):
            rows.offsets.append(record.offset)
            rows.types.append(record.timestamp_type)
            rows.timestamps.append(record.timestamp)
            rows.keys.append(record.key)
            rows.values.append(record.value)
            rows.headers.append(headers_of(record.headers))
        return leaf_hashes(rows) if rows.offsets == list(range(first, end)) else None

    def _read(self, place: TopicPartition, first: int, end: int | None) -> Iterator[Any]:
        """The records of a partition from offset `first` up to `end`, None: to where it ends now."""
        try:
            consumer = KafkaConsumer(
                **for_kafka_python(self._kafka),
                group_id=None,
                enable_auto_commit=False,
                auto_offset_reset="earliest",
                isolation_level="read_committed",
            )
            try:
                consumer.assign([place])
                last = consumer.end_offsets([place])[place]
                end = last if end is None else min(end, last)
                consumer.seek(place, max(first, consumer.beginning_offsets([place])[place]))
                while consumer.position(place) < end:
                    for record in consumer.poll(timeout_ms=500).get(place, ()):
                        if record.offset < end:
                            yield record
            finally:
                consumer.close()
        except (KafkaError, OSError) as error:
            raise _away(self._kafka) from error


def _away(kafka: KafkaSettings) -> TransientError:
    return TransientError(f"no Kafka broker answers on {kafka.bootstrap_servers}", code="transient.kafka")
