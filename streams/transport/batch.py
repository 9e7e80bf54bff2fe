"""Says what an agent is handed: consecutive records of one partition, in offset order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from aiokafka.structs import ConsumerRecord


@dataclass(frozen=True, slots=True)
class RecordBatch:
    """One slice of what was fetched from one partition; never empty.

    `records` are aiokafka's: offset, timestamp (ms since 1970 UTC), timestamp_type, key, value, headers.
    Offsets rise but need not be dense. `incarnation` changes whenever the partition was assigned to this
    process, so that state kept per partition is loaded anew; a mere seek back to the committed offset leaves
    it as it is, and then records already seen come again. Records are left out of the representation: they
    hold personal data.
    """

    topic: str
    partition: int
    records: Sequence[ConsumerRecord] = field(repr=False)
    incarnation: int

    @property
    def first_offset(self) -> int:
        return int(self.records[0].offset)

    @property
    def last_offset(self) -> int:
        return int(self.records[-1].offset)

    def __len__(self) -> int:
        return len(self.records)

    def __str__(self) -> str:
        return f"{self.topic}[{self.partition}] {self.first_offset}..{self.last_offset}"
