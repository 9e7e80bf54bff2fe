"""What the sealer's consumer hands out: the records of a batch themselves, while others get what they always got."""

from __future__ import annotations

from typing import Any

from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.consumer import fetcher
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords

from inzage.sinks.leaf import leaf_hashes
from inzage.sinks.sealing.records import AS_IT_IS

PLACE = TopicPartition("events", 3)
SAID: list[tuple[bytes | None, bytes | None, list[tuple[str, bytes]]]] = [
    (b"SUB-1", b"something", [("ce_id", b"1"), ("ce_source", b"claims/1")]),
    (None, b"no key", []),
    (b"SUB-2", None, [("ce_id", b"")]),
]


def test_records_are_as_they_stand_in_the_batch_and_have_the_same_leaf_hashes() -> None:
    ours, usual = _read(AS_IT_IS), _read(None)
    assert not any(isinstance(record, ConsumerRecord) for record in ours)
    assert all(isinstance(record, ConsumerRecord) for record in usual)
    assert [(one.offset, one.timestamp, one.timestamp_type, one.key, one.value) for one in ours] == [
        (one.offset, one.timestamp, one.timestamp_type, one.key, one.value) for one in usual
    ]
    assert leaf_hashes(ours) == leaf_hashes(usual)


def _read(key_deserializer: Any) -> list[Any]:
    batch = DefaultRecordBatchBuilder(2, 0, 0, -1, -1, -1, 1 << 16)
    for number, (key, value, headers) in enumerate(SAID):
        assert batch.append(number, 1_772_366_400_000 + number, key, value, headers)
    fetched = MemoryRecords(bytes(batch.build()))
    return list(fetcher.PartitionRecords(PLACE, fetched, [], 0, key_deserializer, None, True, 0))
