"""Reads from the trail one verdict, what it judged, what it rests on, and the verdicts before and after it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from inzage.schemas.errors import ConfigError
from inzage.schemas.topics import LAW_REFERENCES, ControllerTopics
from inzage.sinks.kept import Kept, kept_of, utc
from inzage.sinks.trail import Trail

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Judgement:
    """One verdict as a record of the contract, the record it judged, and what had been said when it was given.

    `judged` is None when the trail does not hold that record. `statements` are the facts about the data subject and
    the references that bear on it, in the order in which they became known; `revisions` are all verdicts of the same
    rule on the same record, this one included, in order.
    """

    verdict: Mapping[str, Any]
    judged: Kept | None
    statements: tuple[Kept, ...]
    revisions: tuple[Mapping[str, Any], ...]


def find_verdict(trail: Trail, identifier: str) -> dict[str, Any]:
    """The verdict whose identifier begins with `identifier`; raises `ConfigError` unless it is one."""
    found = [_verdict(row) for row in trail.select_named("verdict", identifier=identifier)]
    if len(found) != 1 or not identifier:
        what = "several verdicts begin" if len(found) > 1 else "no verdict in the trail begins"
        raise ConfigError(f"{what} with {identifier or 'nothing'}", code="config.verdict")
    return found[0]


def judgement_of(trail: Trail, verdict: Mapping[str, Any]) -> Judgement:
    """What the trail holds around `verdict`; raises `ContractError` for bytes that cannot be decoded."""
    place = {name: verdict[name] for name in ("topic", "partition", "offset")}
    revisions = trail.select_named(
        "verdict_revisions",
        **place,
        **{name: verdict[name] for name in ("event_id", "controller_id", "rule_id", "pack_version")},
    )
    chain = tuple(_verdict(row) for row in revisions)
    facts = [fact for one in chain for fact in one["facts"]]
    known_at = max(one["evaluated_at"] for one in (verdict, *chain))
    said = trail.select_named(
        "verdict_statements",
        topic=verdict["topic"],
        subject=verdict["subject"],
        known_at=round((known_at - _EPOCH).total_seconds() * 1000),
        reference_topics=[ControllerTopics(verdict["controller_id"]).references, LAW_REFERENCES],
        versions=sorted({fact["version"] for fact in facts}),
        keys=sorted({fact["key"] for fact in facts}),
    )
    judged = kept_of(trail, trail.select_named("judged_record", **place))
    return Judgement(verdict, judged[0] if judged else None, tuple(kept_of(trail, said)), chain)


def _verdict(row: Mapping[str, Any]) -> dict[str, Any]:
    facts = [dict(zip(("kind", "key", "version"), fact, strict=True)) for fact in row["facts"]]
    return {**row, "facts": facts, **{name: utc(row[name]) for name in ("occurred_at", "evaluated_at")}}
