"""Decides what may go: whole months of a topic, older than the period, of which nothing is held.

What goes is a prefix of every log of the topic: its records have the lowest places, all of them, and what stays is
proven from the frontier over them. A month goes for the whole topic or not at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Stretch:
    """What the trail holds of one log in one month (YYYYMM, UTC): `records` places from `first` to `last`."""

    topic: str
    log_id: str
    month: int
    tables: tuple[str, ...]
    records: int
    first: int
    last: int
    base: int


@dataclass(frozen=True, slots=True)
class Hold:
    """An open legal hold: something of `topic` is held from `first_month` (YYYYMM) on."""

    topic: str
    hold_ref: str
    first_month: int


@dataclass(frozen=True, slots=True)
class LogPlan:
    """What goes of one log: its `records` lowest places. `minimum_index` is the first that stays."""

    log_id: str
    records: int
    minimum_index: int
    minimum_offset: int


@dataclass(frozen=True, slots=True)
class TopicPlan:
    """What goes of one topic. `partitions` are pairs of table and month; `kept_by` says why no more goes, or nothing.

    `holds` are those that keep something which is old enough to go.
    """

    topic: str
    before: int
    months: tuple[int, ...] = ()
    partitions: tuple[tuple[str, int], ...] = ()
    logs: tuple[LogPlan, ...] = ()
    holds: tuple[Hold, ...] = ()
    kept_by: str = ""
    rows: int = field(default=0)


def plan(topics: Iterable[str], stretches: Iterable[Stretch], holds: Iterable[Hold], before: int) -> list[TopicPlan]:
    """What may go of each topic, in order; `before` is the first month (YYYYMM) that the period keeps."""
    by_topic: Mapping[str, list[Stretch]] = {topic: [] for topic in topics}
    for stretch in stretches:
        by_topic[stretch.topic].append(stretch)
    held = list(holds)
    return [
        _topic(topic, found, [hold for hold in held if hold.topic == topic], before)
        for topic, found in by_topic.items()
    ]


def _topic(topic: str, stretches: Sequence[Stretch], holds: Sequence[Hold], before: int) -> TopicPlan:
    old = sorted({stretch.month for stretch in stretches if stretch.month < before})
    months, kept_by = old, ""
    holding: tuple[Hold, ...] = ()
    if old and (stopping := [hold for hold in holds if hold.first_month <= old[-1]]):
        first = min(hold.first_month for hold in stopping)
        months, holding = [month for month in old if month < first], tuple(stopping)
        kept_by = f"legal hold from {first} on: {', '.join(sorted({hold.hold_ref for hold in stopping}))}"
    while months and (log := _broken(stretches, months[-1])):
        kept_by = f"{log}: records of {months[-1]} stand after newer ones"
        months = months[:-1]
    going = [stretch for stretch in stretches if months and stretch.month <= months[-1]]
    logs = tuple(_log(log_id, [one for one in going if one.log_id == log_id]) for log_id in _logs(going))
    return TopicPlan(
        topic=topic,
        before=before,
        months=tuple(months),
        partitions=tuple(sorted({(table, one.month) for one in going for table in one.tables})),
        logs=logs,
        holds=holding,
        kept_by=kept_by,
        rows=sum(log.records for log in logs),
    )


def _broken(stretches: Sequence[Stretch], month: int) -> str:
    """The log of which the months up to `month` are no prefix, nothing when they are one of each."""
    for log_id in _logs(stretches):
        of_log = [one for one in stretches if one.log_id == log_id]
        goes = [one.last for one in of_log if one.month <= month]
        stays = [one.first for one in of_log if one.month > month]
        if goes and stays and max(goes) > min(stays):
            return log_id
    return ""


def _log(log_id: str, going: Sequence[Stretch]) -> LogPlan:
    minimum = max(one.last for one in going) + 1
    return LogPlan(log_id, sum(one.records for one in going), minimum, going[0].base + minimum)


def _logs(stretches: Iterable[Stretch]) -> list[str]:
    return list(dict.fromkeys(one.log_id for one in stretches))
