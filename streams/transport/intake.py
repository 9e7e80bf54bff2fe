"""Decides when fetched records become a batch: when it is full, or when its agent has nothing else to do.

A batch in the agent's queue can no longer grow, and evaluating one costs some 50-100 ms however small it is
(design D4). So records wait here rather than there, and a thin batch is cut only for an agent that would
otherwise be idle. The oldest goes first: a busy partition cannot starve a quiet one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from aiokafka.structs import ConsumerRecord, TopicPartition

from inzage.streams.transport.settings import BatchSettings

RECORD_BYTES = 80
"""Counted per record beside key and value: what a record object costs at least."""
HEADER_BYTES = 64
"""Counted per header: name, value and pair of the CloudEvents headers."""


class Intake:
    """Keeps the records that were fetched and not yet handed out, per partition. Time is passed in."""

    def __init__(self, settings: BatchSettings) -> None:
        self._settings = settings
        self._held: dict[TopicPartition, _Held] = {}
        self._expected: dict[TopicPartition, int] = {}
        self._last_cut: dict[TopicPartition, float] = {}

    def expect(self, tp: TopicPartition, offset: int) -> None:
        """Say where reading starts; records below it were handed out before and are trimmed."""
        self._expected[tp] = offset

    def add(self, tp: TopicPartition, records: Sequence[ConsumerRecord], now: float) -> None:
        expected = self._expected.get(tp, 0)
        if records and records[0].offset < expected:
            records = [record for record in records if record.offset >= expected]
        if not records:
            return
        self._expected[tp] = records[-1].offset + 1
        self._held.setdefault(tp, _Held()).append(_Chunk(records, sum(map(_size, records)), now))

    def cut(
        self, unfinished: Mapping[str, int], now: float
    ) -> tuple[TopicPartition, Sequence[ConsumerRecord]] | None:
        """The next batch to hand out, or None; `unfinished` counts the batches each topic's agent has."""
        ready = [tp for tp, held in self._held.items() if self._is_ready(tp, held, unfinished.get(tp.topic, 0), now)]
        if not ready:
            return None
        tp = min(ready, key=lambda tp: self._held[tp].since)
        records = self._held[tp].take(self._settings.max_records, self._settings.max_bytes)
        if not self._held[tp].chunks:
            del self._held[tp]
        self._last_cut[tp] = now
        return tp, records

    def clear(self) -> None:
        """Forget everything: it will be fetched again."""
        self._held.clear()
        self._expected.clear()

    def is_full(self, topic: str) -> bool:
        """Whether to stop fetching a topic: as much of it is held as its agent may have queued."""
        held = [held for tp, held in self._held.items() if tp.topic == topic]
        batches = self._settings.buffered_batches
        return (
            sum(one.records for one in held) >= batches * self._settings.max_records
            or sum(one.size for one in held) >= batches * self._settings.max_bytes
        )

    def __bool__(self) -> bool:
        return bool(self._held)

    def _is_ready(self, tp: TopicPartition, held: _Held, unfinished: int, now: float) -> bool:
        settings = self._settings
        if unfinished == 0:
            return held.is_full(settings) or now - self._last_cut.get(tp, 0.0) >= settings.linger
        if unfinished >= settings.buffered_batches:
            return False
        return held.is_full(settings) or now - held.since >= settings.patience


class _Chunk(NamedTuple):
    records: Sequence[ConsumerRecord]
    size: int
    added_at: float


@dataclass(slots=True)
class _Held:
    chunks: deque[_Chunk] = field(default_factory=deque)
    records: int = 0
    size: int = 0

    @property
    def since(self) -> float:
        return self.chunks[0].added_at

    def is_full(self, settings: BatchSettings) -> bool:
        return self.records >= settings.max_records or self.size >= settings.max_bytes

    def append(self, chunk: _Chunk) -> None:
        self.chunks.append(chunk)
        self.records += len(chunk.records)
        self.size += chunk.size

    def take(self, max_records: int, max_bytes: int) -> Sequence[ConsumerRecord]:
        taken: list[ConsumerRecord] = []
        size = 0
        while self.chunks:
            chunk = self.chunks.popleft()
            fits = chunk
            if len(taken) + len(chunk.records) > max_records or size + chunk.size > max_bytes:
                fits, rest = _split(chunk, max_records - len(taken), max_bytes - size, at_least=0 if taken else 1)
                if rest.records:
                    self.chunks.appendleft(rest)
                if not fits.records:
                    break
            taken.extend(fits.records)
            size += fits.size
            self.records -= len(fits.records)
            self.size -= fits.size
            if fits is not chunk:
                break
        return taken


def _split(chunk: _Chunk, max_records: int, max_bytes: int, *, at_least: int) -> tuple[_Chunk, _Chunk]:
    """Cut `chunk` after the records that fit; `at_least` lets a record larger than a batch through alone."""
    count = size = 0
    for record in chunk.records:
        grown = size + _size(record)
        if count >= at_least and (count >= max_records or grown > max_bytes):
            break
        count, size = count + 1, grown
    return (
        _Chunk(chunk.records[:count], size, chunk.added_at),
        _Chunk(chunk.records[count:], chunk.size - size, chunk.added_at),
    )


def _size(record: ConsumerRecord) -> int:
    size: int = record.serialized_key_size + record.serialized_value_size + RECORD_BYTES
    return size + HEADER_BYTES * len(record.headers) if record.headers else size
