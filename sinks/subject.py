"""Reads what the trail holds about one person: what was said, how it was judged, where and since when.

A person is looked up by reference, as data subject. What is read are the bytes that were produced, so that the words
can be decrypted that the columns hold encrypted.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from inzage.schemas.errors import TransientError
from inzage.schemas.settings import Settings
from inzage.schemas.topics import ControllerTopics
from inzage.sinks.kept import Kept, kept_of, utc
from inzage.sinks.logs import read_cluster, topics_of
from inzage.sinks.status import read_extents
from inzage.sinks.trail import Trail

_LOOK_EVERY = 0.2  # seconds


@dataclass(frozen=True, slots=True)
class Extent:
    """How much was said about a person at one controller; `first` and `last` are the broker's times, UTC."""

    controller: str
    events: int
    facts: int
    first: datetime
    last: datetime


def said_about(trail: Trail, subject: str, controllers: Iterable[str]) -> list[Kept]:
    """Events and facts about `subject` at `controllers`, in the order of each partition."""
    topics = [ControllerTopics(controller).events for controller in controllers]
    return kept_of(trail, trail.select_named("subject_records", subject=subject, topics=topics))


def references_of(trail: Trail, controllers: Iterable[str]) -> list[Kept]:
    """The facts about organisations, instruments and rules of `controllers`, in the order they became known."""
    topics = [ControllerTopics(controller).references for controller in controllers]
    return kept_of(trail, trail.select_named("references_known", topics=topics, known_at=(1 << 62)))


def judged_about(trail: Trail, subject: str, controllers: Iterable[str]) -> list[dict[str, Any]]:
    """The verdicts that stand on what was said about `subject`, oldest event first."""
    topics = [ControllerTopics(controller).verdicts for controller in controllers]
    rows = trail.select_named("subject_verdicts", subject=subject, topics=topics)
    return [{**row, "occurred_at": utc(row["occurred_at"])} for row in rows]


def extents_of(trail: Trail, subject: str) -> list[Extent]:
    """One for each controller at which something was said about `subject`, also for those no longer served."""
    rows = trail.select_named("subject_extent", subject=subject)
    return [Extent(**{**row, "first": utc(row["first"]), "last": utc(row["last"])}) for row in rows]


def facts_on_holds(trail: Trail, subject: str, controller: str) -> list[Kept]:
    """The facts of a controller on which it depends whether `subject` may be erased, in the order they were kept."""
    topic = ControllerTopics(controller).events
    return kept_of(trail, trail.select_named("subject_holds", subject=subject, topic=topic))


def wait_for_trail(settings: Settings, trail: Trail, controllers: Sequence[str], within: float) -> None:
    """Wait until the trail holds what Kafka has now of the events topics; raises `TransientError` after `within` s.

    What was said a moment ago may forbid what is about to be done.
    """
    topics = topics_of(controllers)
    names = [ControllerTopics(controller).events for controller in controllers]
    logs = read_cluster(settings.kafka, topics).logs(topics[name] for name in names)
    wanted = {
        extent.log.id: extent.end - 1 for extent in read_extents(settings.kafka, logs) if extent.end > extent.begin
    }
    deadline = time.monotonic() + within
    while True:
        reached = {log_id: last for name in names for log_id, last in trail.select("reached", topic=name)}
        behind = sum(max(0, last - reached.get(log_id, -1)) for log_id, last in wanted.items())
        if not behind:
            return
        if time.monotonic() >= deadline:
            raise TransientError(
                f"the trail is {behind} records behind the events topics, and a hold may be among them",
                code="transient.trail-behind",
                hint="`inzage trail status` shows where; is `inzage sink` running?",
            )
        time.sleep(_LOOK_EVERY)
