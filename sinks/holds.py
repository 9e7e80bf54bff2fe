"""Decides what stands in the way of erasing a person: a legal hold, or a duty to keep (GDPR 17(3)(b) and (e)).

Pure functions from facts. In doubt something stands in the way: an end that is not stated, or that cannot be read,
has not come.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Any

_ENDED = frozenset({"DataErased", "DataAnonymised"})


class ObstacleKind(StrEnum):
    """What forbids an erasure."""

    LEGAL_HOLD = "LEGAL_HOLD"
    RETENTION = "RETENTION"
    DUTY_TO_KEEP = "DUTY_TO_KEEP"
    OTHER_CONTROLLER = "OTHER_CONTROLLER"


@dataclass(frozen=True, slots=True)
class Obstacle:
    """One reason not to erase, for a person to read. `until` None: until somebody ends it."""

    controller: str
    kind: ObstacleKind
    reason: str
    until: datetime | None = None


def obstacles_of(facts: Iterable[Mapping[str, Any]], controller: str, now: datetime) -> list[Obstacle]:
    """What `facts`, decoded and in the order they were kept, put in the way at `now` (with a zone)."""
    said = list(facts)
    replaced = {fact["corrects"] for fact in said if fact["corrects"]}
    standing = [fact for fact in said if fact["fact_id"] not in replaced]
    return [*_holds(standing, controller, now), *_retention(standing, controller, now)]


def duty_to_keep(last: datetime, days: int, controller: str, now: datetime) -> Obstacle | None:
    """A period of the controller's own settings, that begins with what was `last` kept about the person."""
    until = last + timedelta(days=days)
    if until <= now:
        return None
    reason = f"{controller} has to keep its log readable for {days} days, for this person until {_day(until)}"
    return Obstacle(controller, ObstacleKind.DUTY_TO_KEEP, reason, until)


def _holds(facts: list[Mapping[str, Any]], controller: str, now: datetime) -> Iterable[Obstacle]:
    """Holds in force: those that nothing said later released. One without a reference can only be corrected."""
    in_force: dict[str, Mapping[str, Any]] = {}
    for fact in facts:
        kind, body = _kind(fact), fact["body"][1]
        if kind == "LegalHoldPlaced":
            in_force[body["hold_ref"] or fact["fact_id"]] = body
        elif kind == "LegalHoldReleased" and (body["released_at"] or fact["recorded_at"]) <= now:
            in_force.pop(body["hold_ref"] or "", None)
    for reference, body in in_force.items():
        about = f" on record {body['record_id']}" if body["record_id"] else ""
        matter = f", matter {body['matter_ref']}" if body["matter_ref"] else ""
        placed = f" since {_day(body['placed_at'])}" if body["placed_at"] else ""
        reason = f"legal hold {reference}{about}{placed}, ground {body['ground'] or 'UNKNOWN'}{matter}"
        yield Obstacle(controller, ObstacleKind.LEGAL_HOLD, reason)


def _retention(facts: list[Mapping[str, Any]], controller: str, now: datetime) -> Iterable[Obstacle]:
    """Records whose period runs. What was said last of a record holds; one that was erased has no period."""
    records: dict[str, Mapping[str, Any] | None] = {}
    for fact in facts:
        kind, body = _kind(fact), fact["body"][1]
        if kind == "RecordRegistered":
            records[body["record_id"] or fact["fact_id"]] = body
        elif kind in _ENDED:
            records[body["record_id"] or ""] = None
    for record, registered in records.items():
        if registered is None or not (registered["retention_until"] or registered["retention_rule_id"]):
            continue
        rule = f" by rule {registered['retention_rule_id']}" if registered["retention_rule_id"] else ""
        until = _end(registered["retention_until"])
        if until is None:
            wrong = "is no date" if registered["retention_until"] else "is not stated"
            reason = f"record {record} is to be kept{rule}; until when {wrong}"
        elif until > now:
            reason = f"record {record} is to be kept{rule} until {_day(until)}"
        else:
            continue
        yield Obstacle(controller, ObstacleKind.RETENTION, reason, until)


def _kind(fact: Mapping[str, Any]) -> str:
    name: str = fact["body"][0]
    return name.rpartition(".")[2]


def _end(text: str | None) -> datetime | None:
    """The end of a period that is stated as an instant or as its last day, UTC unless it has a zone."""
    try:
        if len(text or "") == len("2026-03-01"):
            return datetime.combine(date.fromisoformat(text or ""), datetime.min.time(), UTC) + timedelta(days=1)
        instant = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def _day(instant: datetime) -> str:
    return instant.date().isoformat()
