"""Keeps how retention reads the trail: what it holds of a controller, and what is held of that."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from inzage.schemas.settings import Settings
from inzage.schemas.topics import ControllerTopics
from inzage.sinks.retention.plan import Hold, Stretch, TopicPlan, plan
from inzage.sinks.trail import Trail


def topics_that_expire(controller: str) -> list[str]:
    """The topics of a controller whose records go. References, schemas and checkpoints stay: the others need them."""
    names = ControllerTopics(controller)
    return [names.events, names.verdicts, names.dead_letters]


def plan_for(settings: Settings, trail: Trail, controller: str, now: datetime) -> list[TopicPlan]:
    """What may go of a controller at `now` (UTC), topic by topic; raises `ConfigError` when it has no period."""
    before = settings.retention.period_of(controller).first_month_kept(now)
    topics = topics_that_expire(controller)
    return plan(topics, stretches_of(trail, topics), holds_of(trail, topics, now), before)


def stretches_of(trail: Trail, topics: Sequence[str]) -> list[Stretch]:
    """What the trail holds of `topics`, by log and month."""
    rows = trail.select("retention_months", topics=list(topics))
    return [
        Stretch(topic, log_id, month, tuple(tables), records, first, last, base)
        for topic, log_id, month, tables, records, first, last, base in rows
    ]


def holds_of(trail: Trail, topics: Sequence[str], now: datetime) -> list[Hold]:
    """The legal holds that are open at `now`, by topic."""
    milliseconds = int(now.timestamp() * 1000)
    return [Hold(*row) for row in trail.select("retention_holds", topics=list(topics), now=milliseconds)]
