"""Decides whether the trail is complete: for each log, what Kafka has against what the trail holds.

What is sealed is what the checkpoints in the trail say; whether they tell the truth is for `inzage verify`.

Complete means no gap and no duplicate between the first offset Kafka still has, or the trail holds, and the last
one held; what lies above is lag. A log whose topic was deleted or made again is shown as former: Kafka can no
longer say what it had, so its gaps are counted between its own first and last offset.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from kafka.admin import KafkaAdminClient, OffsetSpec
from kafka.errors import KafkaError
from kafka.structs import TopicPartition

from inzage.schemas.errors import TransientError
from inzage.schemas.kafka_clients import for_kafka_python
from inzage.schemas.settings import KafkaSettings, Settings
from inzage.schemas.topics import CHECKPOINTS
from inzage.sinks.logs import ANSWER_WITHIN_MS, Log, read_cluster, topics_of
from inzage.sinks.reading import open_trail


@dataclass(frozen=True, slots=True)
class LogStatus:
    """One log. `first` and `last` are offsets held, None when nothing is; `gaps` counts offsets, not runs.

    `gaps` is a finding where `dense`; where records are written in transactions, offsets are missing by design.
    `sealed` is the size of the newest checkpoint, None for a log that is never sealed; `unsealed` counts the records
    Kafka has beyond it. Below `dropped_below` a statement of retention says that offsets may be missing.
    """

    log_id: str
    topic: str
    partition: int
    first: int | None
    last: int | None
    rows: int
    gaps: int
    duplicates: int
    dead_letters: int
    lag: int
    dense: bool
    sealed: int | None = None
    unsealed: int = 0
    former: bool = False
    dropped_below: int = 0

    @property
    def complete(self) -> bool:
        return self.duplicates == 0 and (self.gaps == 0 or not self.dense)


@dataclass(frozen=True, slots=True)
class Extent:
    """What Kafka has of a log: `begin` is its first offset, `end` one past its last."""

    log: Log
    begin: int
    end: int


def trail_status(settings: Settings) -> list[LogStatus]:
    """The status of every log of the settings' controllers, then of former logs the trail still holds.

    Raises `TransientError` when Kafka or ClickHouse does not answer.
    """
    topics = topics_of(settings.controllers)
    logs = read_cluster(settings.kafka, topics).logs(topics.values())
    with open_trail(settings) as trail:
        # The trail first: what arrives in between is lag, not a row too many.
        kept = {row["log_id"]: row for row in trail.select_named("logs")}
        sealed = {row["origin"]: row for row in trail.select_named("sealed")}
        dropped: Mapping[str, int] = dict(trail.select("dropped"))
    current = [
        with_sealing(extent, reconcile(extent, kept.pop(extent.log.id, None), below), sealed.get(extent.log.id))
        for extent in read_extents(settings.kafka, logs)
        for below in (dropped.get(extent.log.id, 0),)
    ]
    return current + [former(row, dropped.get(row["log_id"], 0)) for row in kept.values()]


def reconcile(extent: Extent, kept: Mapping[str, Any] | None, dropped_below: int = 0) -> LogStatus:
    """Compare what Kafka has of a log with what the trail holds, a row of `queries/logs.sql`.

    What was stated to be dropped, below the offset `dropped_below`, is missed by nobody.
    """
    log = extent.log
    marks = 0 if log.dense or extent.end == extent.begin else 1  # the last transaction ends with one, an offset long
    if kept is None:
        nothing = LogStatus(log.id, log.topic.name, log.partition, None, None, 0, 0, 0, 0, 0, log.dense)
        lag = max(0, extent.end - max(extent.begin, dropped_below) - marks)
        return replace(nothing, lag=lag, dropped_below=dropped_below)
    first, last, distinct = kept["first"], kept["last"], kept["distinct_offsets"]
    return LogStatus(
        log_id=log.id,
        topic=log.topic.name,
        partition=log.partition,
        first=first,
        last=last,
        rows=kept["rows"],
        gaps=_gaps(kept, min(first, extent.begin), dropped_below) if log.dense else 0,
        duplicates=kept["rows"] - distinct,
        dead_letters=kept["unreadable"],
        lag=max(0, extent.end - max(last + 1, dropped_below) - marks),
        dense=log.dense,
        dropped_below=dropped_below,
    )


def with_sealing(extent: Extent, status: LogStatus, sealed: Mapping[str, Any] | None) -> LogStatus:
    """The status with what is sealed of the log, a row of `queries/sealed.sql`."""
    if not extent.log.topic.sealed:
        return status
    size, base = (sealed["size"], sealed["base"]) if sealed else (0, extent.begin)
    return replace(status, sealed=size, unsealed=max(0, extent.end - base - size))


def _gaps(kept: Mapping[str, Any], first: int, dropped_below: int) -> int:
    """How many offsets are missing from `first` on, or from where a statement of retention ends, to the last held."""
    return max(0, int(kept["last"]) - max(first, dropped_below) + 1 - int(kept["standing"]))


def former(kept: Mapping[str, Any], dropped_below: int = 0) -> LogStatus:
    """The status of a log that Kafka no longer has, or that is not of these controllers."""
    first, last, distinct = kept["first"], kept["last"], kept["distinct_offsets"]
    return LogStatus(
        log_id=kept["log_id"],
        topic=kept["topic"],
        partition=kept["partition"],
        first=first,
        last=last,
        rows=kept["rows"],
        gaps=_gaps(kept, first, dropped_below) if (dense := kept["topic"] != CHECKPOINTS) else 0,
        duplicates=kept["rows"] - distinct,
        dead_letters=kept["unreadable"],
        lag=0,
        dense=dense,
        former=True,
        dropped_below=dropped_below,
    )


def read_extents(kafka: KafkaSettings, logs: list[Log]) -> list[Extent]:
    """Ask Kafka for the first and the next offset of each log; raises `TransientError`."""
    try:
        admin = KafkaAdminClient(**for_kafka_python(kafka), bootstrap_timeout_ms=ANSWER_WITHIN_MS)
        try:
            places = {log: TopicPartition(log.topic.name, log.partition) for log in logs}
            begins = admin.list_partition_offsets(dict.fromkeys(places.values(), OffsetSpec.EARLIEST))
            ends = admin.list_partition_offsets(dict.fromkeys(places.values(), OffsetSpec.LATEST))
        finally:
            admin.close()
    except (KafkaError, OSError) as error:
        raise TransientError("Kafka does not say its offsets", code="transient.kafka") from error
    return [Extent(log, begins[place].offset, ends[place].offset) for log, place in places.items()]
