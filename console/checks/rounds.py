"""Runs checks for a controller: finds, compares with what stands in the trail, and says which verdicts to append."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from inzage.console.checks.catalogue import CHECKS, Check
from inzage.console.checks.findings import current, find, rule_of, verdicts
from inzage.schemas.errors import ConfigError
from inzage.schemas.settings import RetentionSettings
from inzage.schemas.topics import ControllerTopics
from inzage.sinks.trail import Trail
from inzage.streams.screening.pack import Policies


@dataclass(frozen=True, slots=True)
class Report:
    """What one check found for one controller under one rule, and the verdicts that say what is new."""

    controller_id: str
    check: Check
    rule: str
    topic: str
    findings: Sequence[dict[str, Any]]
    verdicts: Sequence[dict[str, Any]]


def checks_named(name: str = "") -> tuple[Check, ...]:
    """The check of a name, all when it is empty; raises `ConfigError`."""
    found = tuple(check for check in CHECKS if not name or check.name == name)
    if not found:
        known = ", ".join(check.name for check in CHECKS)
        raise ConfigError(f"check: there is no {name}", hint=f"there are {known}", code="config.check")
    return found


def run_checks(
    trail: Trail, policies: Policies, checks: Iterable[Check], now: datetime, retention: RetentionSettings
) -> list[Report]:
    """Run `checks` over the trail of a controller as of `now`, UTC; nothing is published here."""
    reports = []
    try:
        first_month = retention.period_of(policies.controller_id).first_month_kept(now)
    except ConfigError:
        first_month = 0  # the tenant has not stated a period: nothing outlives it
    for check in checks:
        entries = check.entries(policies)
        found = [] if not entries else find(trail, policies, check, now, first_month)
        for entry in entries:
            rule = rule_of(check, entry)
            standing = current(trail, policies.controller_id, rule)
            theme = entry.theme if entry is not None else check.theme
            reports.append(
                Report(
                    policies.controller_id,
                    check,
                    rule,
                    ControllerTopics(policies.controller_id).violations(theme),
                    [
                        {
                            "controller": policies.controller_id,
                            "check": check.name,
                            "rule_id": rule,
                            "result": check.result,
                            "about": finding.about,
                            "subject": finding.subject,
                            "since": finding.since,
                            "owner": check.owner,
                        }
                        for finding in found
                    ],
                    list(verdicts(policies, check, entry, found, standing, now)),
                )
            )
    return reports
