"""Decides what a check has to say: verdicts for what is new, and for what no longer stands.

A finding is about a record, a system, an agreement: its verdicts share that as event id and go by revisions. What the
trail holds decides which is next, so a check that runs twice says nothing new, and its ids are the same again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from inzage.console.checks.catalogue import PACK, Check
from inzage.console.consultation import NOBODY_IN_PARTICULAR
from inzage.schemas.topics import ControllerTopics
from inzage.sinks.trail import Trail
from inzage.streams.screening.pack import Entry, Policies
from inzage.streams.screening.record import identity


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a check found. `about` names it, `since` is when it began not to comply, UTC."""

    about: str
    subject: str
    since: datetime
    facts: tuple[tuple[str, str, str], ...]


def find(trail: Trail, policies: Policies, check: Check, now: datetime, first_month: int) -> list[Finding]:
    """What the check finds in the controller's trail as of `now`, an instant in UTC; raises as `Trail` does.

    `first_month` is the first month (YYYYMM) of the trail that its own period keeps; 0 when there is no period.
    """
    rows = trail.select(
        f"check_{check.query}",
        topic=ControllerTopics(policies.controller_id).events,
        controller=policies.controller_id.upper(),
        packs=sorted({pack.pack.upper() for pack in policies.pack_of.values()}),
        now=round(now.timestamp() * 1_000_000),
        first_month=first_month,
        **check.parameters,
    )
    return [
        Finding(about, subject or NOBODY_IN_PARTICULAR, _utc(since), tuple(tuple(fact) for fact in facts))
        for about, subject, since, facts in rows
    ]


def current(trail: Trail, controller_id: str, rule: str) -> dict[str, dict[str, Any]]:
    """How the findings under `rule` stand in the trail: about -> newest verdict."""
    topic = ControllerTopics(controller_id).verdicts
    columns = ("about", "subject", "result", "revision", "verdict_id", "since")
    rows = trail.select("check_findings", topic=topic, pack=PACK, rule=rule)
    return {row[0]: dict(zip(columns, row, strict=True)) for row in rows}


def verdicts(
    policies: Policies,
    check: Check,
    entry: Entry | None,
    found: Iterable[Finding],
    standing: Mapping[str, Mapping[str, Any]],
    now: datetime,
) -> Iterator[dict[str, Any]]:
    """The verdicts to append: of findings that do not stand in the trail, OK of those that are no longer found."""
    seen = set()
    for finding in found:
        seen.add(finding.about)
        before = standing.get(finding.about)
        if before is None or before["result"] != check.result:
            yield _verdict(policies, check, entry, finding, before, check.result, finding.since)
    for about, before in standing.items():
        if about not in seen and before["result"] != "OK":
            gone = Finding(about, before["subject"], _utc(before["since"]), ())
            yield _verdict(policies, check, entry, gone, before, "OK", now)


def rule_of(check: Check, entry: Entry | None) -> str:
    """The rule that a check's verdicts name."""
    return entry.id if entry is not None else f"CHECK-{check.name}"


def _verdict(
    policies: Policies,
    check: Check,
    entry: Entry | None,
    finding: Finding,
    before: Mapping[str, Any] | None,
    result: str,
    at: datetime,
) -> dict[str, Any]:
    revision = int(before["revision"]) + 1 if before is not None else 0
    rule = rule_of(check, entry)
    return {
        "verdict_id": identity("check", policies.controller_id, rule, finding.about, revision),
        "event_id": finding.about,
        "controller_id": policies.controller_id,
        "subject": finding.subject,
        "rule_id": rule,
        "result": result,
        "severity": entry.severity if entry is not None else check.severity,
        "theme": (entry.theme if entry is not None else check.theme).value,
        "reason": check.reason,
        "heading": entry.heading if entry is not None else "",
        "promise": entry.promise if entry is not None else check.promise,
        "articles": entry.articles if entry is not None else list(check.articles),
        "facts": [{"kind": kind, "key": key, "version": version} for kind, key, version in finding.facts],
        "pack": PACK,
        "pack_version": policies.version,
        "revision": revision,
        "supersedes": before["verdict_id"] if before is not None else None,
        "occurred_at": finding.since,
        "evaluated_at": at,
        "topic": "",
        "partition": -1,
        "offset": -1,
    }


def _utc(instant: datetime) -> datetime:
    return instant if instant.tzinfo is not None else instant.replace(tzinfo=UTC)
