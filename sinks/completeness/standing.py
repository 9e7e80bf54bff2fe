"""Decides from the trail how complete each source is: which of its numbers are missing, and whether it still speaks.

It agrees with the watch (`watch`) in what counts, and shares nothing with it but the times that are granted. Where
the sink is behind, a topic is judged as of when it was read: what seems to be missing may be what is yet to come.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from inzage.schemas.emitter.sequence import begins_at_one
from inzage.schemas.settings import Settings
from inzage.schemas.topics import ControllerTopics
from inzage.sinks.completeness.tracker import GRACE, SILENCE, SILENT_PERIODS
from inzage.sinks.logs import Said, read_cluster, topics_of
from inzage.sinks.reading import open_trail
from inzage.sinks.status import Extent, read_extents
from inzage.sinks.trail import Trail

_NEVER = datetime(1970, 1, 1, tzinfo=UTC)

MOST_RUNS = 1000
"""Runs of missing numbers listed for one source; `missing` counts them all."""


class State(StrEnum):
    """Whether a source still speaks. UNKNOWN: it numbers itself and never said when to expect a word."""

    SPEAKING = "speaking"
    ENDED = "ended"
    SILENT = "silent"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class SourceStanding:
    """One source on one topic. `first` and `last` are numbers held, None for none; `ranges` are missing, in order.

    `shortened`: the topic's oldest months were dropped by a statement of retention. Numbers below `first` are then
    not judged, and one shortly above it may be missing because it went with a month.
    """

    source_system: str
    source_instance: str
    topic: str
    first: int | None
    last: int | None
    records: int
    missing: int
    ranges: tuple[tuple[int, int], ...]
    state: State
    last_word: datetime
    shortened: bool = False

    @property
    def complete(self) -> bool:
        return not self.missing and self.state is not State.SILENT


def source_standings(
    settings: Settings, *, controller: str = "", now: datetime | None = None
) -> list[SourceStanding]:
    """Every source the trail holds, or those on the topics of one controller, in order of topic and name.

    Raises `TransientError` when Kafka or ClickHouse does not answer.
    """
    now = now or datetime.now(UTC)
    topics = topics_of(settings.controllers)
    logs = read_cluster(settings.kafka, topics).logs(
        topic for topic in topics.values() if topic.said in (Said.EVENTS, Said.REFERENCES)
    )
    names = ControllerTopics(controller)
    only = [names.events, names.references] if controller else []
    with open_trail(settings) as trail:
        # Kafka first: what the sink takes in meanwhile makes a topic seem further behind, never further on.
        read_up_to = _read_up_to(trail, read_extents(settings.kafka, logs), now)
        dropped = {origin for origin, _ in trail.select("dropped")}
        shortened = {log.topic.name for log in logs if log.id in dropped}
        return list(_standings(trail, read_up_to, only, now, shortened))


def _read_up_to(trail: Trail, extents: Iterable[Extent], now: datetime) -> dict[str, datetime]:
    """Up to when each topic was read that the trail is behind with."""
    extents = list(extents)
    reached = {
        log_id: (last, at) for log_id, last, at in trail.select("read_up_to", log_ids=[e.log.id for e in extents])
    }
    behind: dict[str, datetime] = {}
    for extent in extents:
        last, at = reached.get(extent.log.id, (extent.begin - 1, _NEVER))
        if last + 1 < extent.end:
            topic = extent.log.topic.name
            behind[topic] = min(behind.get(topic, now), at.replace(tzinfo=UTC))
    return behind


def _standings(
    trail: Trail, read_up_to: Mapping[str, datetime], only: list[str], now: datetime, shortened: Container[str]
) -> Iterable[SourceStanding]:
    """`shortened` are topics whose oldest records went by a statement of retention, and first numbers with them."""
    grace = timedelta(seconds=GRACE)
    asked = {
        "topics": list(read_up_to) or [""],
        "settled": [_milliseconds(at - grace) for at in read_up_to.values()] or [0],
        "settled_else": _milliseconds(now - grace),
        "only_topics": only,
    }
    held = _by_source(trail.select_named("sources", **asked))
    heard = _by_source(trail.select_named("heard", **asked))
    inside: dict[tuple[str, str], Mapping[str, Any]] = {}
    if any(row["distinct_numbers"] < row["last"] - row["first"] + 1 for row in held.values()):
        inside = _by_source(trail.select_named("missing_numbers", limit=MOST_RUNS, **asked))
    for key in sorted(held.keys() | heard.keys()):
        seen, beat, between = held.get(key, {}), heard.get(key, {}), inside.get(key, {})
        of_source = beat or seen
        from_one = begins_at_one(of_source["source_instance"], key[0]) and key[0] not in shortened
        before, after = _around(from_one, seen, beat)
        ranges = (*before, *map(tuple, between.get("runs", ())), *after)
        last_word = max(row["last_word"].replace(tzinfo=UTC) for row in (seen, beat) if row)
        yield SourceStanding(
            source_system=of_source["source_system"],
            source_instance=of_source["source_instance"],
            topic=key[0],
            first=seen.get("first"),
            last=seen.get("last"),
            records=seen.get("records", 0),
            missing=between.get("missing", 0) + sum(last - first + 1 for first, last in (*before, *after)),
            ranges=ranges,
            state=_state(key[0], of_source["source_instance"], seen, beat, read_up_to.get(key[0], now) - last_word),
            last_word=last_word,
            shortened=key[0] in shortened,
        )


def _around(
    from_one: bool, seen: Mapping[str, Any], beat: Mapping[str, Any]
) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """What is missing before the first number held, and after the last one, which a heartbeat says was given out."""
    judged = max((row["settled"] for row in (seen, beat) if row and row["settled"] is not None), default=None)
    if judged is None:
        return [], []
    if not seen:
        return [], _run(1 if from_one else beat["first_heard"] + 1, judged)
    return _run(1, min(seen["first"] - 1, judged)) if from_one else [], _run(seen["last"] + 1, judged)


def _run(first: int, last: int) -> list[tuple[int, int]]:
    return [(first, last)] if first <= last else []


def _state(topic: str, instance: str, seen: Mapping[str, Any], beat: Mapping[str, Any], quiet: timedelta) -> State:
    if beat and beat["ended"] and beat["last_said"] >= max(beat["last_heard"], seen.get("last", 0)):
        return State.ENDED
    period = beat.get("period", 0)
    expected = begins_at_one(instance, topic) and not topic.endswith(".references.v1")  # where nobody beats
    if not period and not expected:
        return State.UNKNOWN
    return State.SILENT if quiet > timedelta(seconds=max(SILENCE, SILENT_PERIODS * period)) else State.SPEAKING


def _by_source(rows: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str], Mapping[str, Any]]:
    return {(row["topic"], row["source"]): row for row in rows}


def _milliseconds(at: datetime) -> int:
    return round(at.timestamp() * 1000)
