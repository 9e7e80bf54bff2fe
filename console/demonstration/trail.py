"""Asks the trail what became of the month: whether all of it is kept and judged, and what was found."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from inzage.schemas.errors import TransientError
from inzage.schemas.settings import Settings
from inzage.sinks.logs import Said, read_cluster, topics_of
from inzage.sinks.reading import open_trail
from inzage.sinks.status import LogStatus, read_extents, trail_status

_LOOK_EVERY = 0.5  # seconds


@dataclass(frozen=True, slots=True)
class Standing:
    """How far sink and worker are. `unjudged` counts offsets of the events topics that no report names."""

    logs: tuple[LogStatus, ...]
    unjudged: int

    @property
    def lag(self) -> int:
        return sum(log.lag for log in self.logs)

    @property
    def unsealed(self) -> int:
        return sum(log.unsealed for log in self.logs)

    @property
    def settled(self) -> bool:
        """Whether nothing is on its way any more."""
        return self.lag == 0 and self.unjudged == 0 and self.unsealed == 0

    @property
    def complete(self) -> bool:
        """Whether every offset stands in the trail exactly once, was judged and is sealed."""
        return self.settled and all(log.complete for log in self.logs)


def wait_until_settled(settings: Settings, *, within: float, stopped: Callable[[], bool]) -> Standing:
    """Look at the trail until nothing is on its way, at most `within` seconds; returns how it stands then.

    A server too busy to answer is asked again; raises `TransientError` when it still is at the end.
    """
    give_up = time.monotonic() + within
    while True:
        over = stopped() or time.monotonic() > give_up
        try:
            standing = how_it_stands(settings)
            if standing.settled or over:
                return standing
        except TransientError:
            if over:
                raise
        time.sleep(_LOOK_EVERY)


def how_it_stands(settings: Settings) -> Standing:
    """The standing now. Judged offsets are read before Kafka's, so what arrives in between counts as unjudged."""
    runs = {(topic, partition): of for topic, partition, of in _rows(settings, "judged")}
    topics = topics_of(settings.controllers)
    logs = read_cluster(settings.kafka, topics).logs(topic for topic in topics.values() if topic.said is Said.EVENTS)
    unjudged = sum(
        missing(runs.get((extent.log.topic.name, extent.log.partition), ()), extent.begin, extent.end)
        for extent in read_extents(settings.kafka, logs)
    )
    return Standing(tuple(trail_status(settings)), unjudged)


def missing(runs: Iterable[tuple[int, int]], begin: int, end: int) -> int:
    """How many of the offsets `begin` to `end`, exclusive, no run `(first, last)` covers; runs come in order."""
    count, reached = 0, begin
    for first, last in runs:
        count += max(0, min(first, end) - reached)
        reached = max(reached, last + 1)
    return count + max(0, end - reached)


def found(settings: Settings) -> dict[str, dict[str, str]]:
    """Result by rule, by event, of every verdict that is not OK."""
    by_event: dict[str, dict[str, str]] = defaultdict(dict)
    for event_id, rule_id, result in _rows(settings, "found"):
        by_event[event_id][rule_id] = result
    return by_event


def events_of(settings: Settings, source: str) -> set[str]:
    """The ids of the events that one upstream system said."""
    return {event_id for (event_id,) in _rows(settings, "of_source", source=source)}


def promises(settings: Settings, left_out: Iterable[str]) -> list[Mapping[str, Any]]:
    """Each promise that was broken, with how often, but for the events `left_out`."""
    names = ("rule_id", "result", "found", "persons", "severity", "heading", "promise", "articles")
    rows = _rows(settings, "promises", left_out=list(left_out))
    return [dict(zip(names, row, strict=True)) for row in rows]


def _rows(settings: Settings, query: str, **parameters: Any) -> list[tuple[Any, ...]]:
    with open_trail(settings) as trail:
        named = {"database": trail.database, **parameters}
        return list(trail.client.query(_text(query), parameters=named, settings={"readonly": 1}).result_rows)


@cache
def _text(query: str) -> str:
    return files("inzage.console.demonstration.queries").joinpath(f"{query}.sql").read_text(encoding="utf-8")
