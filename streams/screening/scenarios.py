"""Runs scenarios with expectations: facts and events as they arrived, and what must and must not fire.

Fires means that the current verdict is VIOLATION; does not fire means OK or no verdict, NOT_EVALUABLE does not pass.
An entry that does not exist yet is listed as not built, never passed silently; so is an expectation about late facts
or about the service's clock, until those are built.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from inzage.schemas.errors import ConfigError
from inzage.schemas.json_lines import read_arrivals
from inzage.streams.screening.offline import OfflineScreening, Screened


@dataclass(frozen=True, slots=True)
class Expectation:
    """One expectation: whether `rule` fires for an event or fact of a scenario."""

    scenario: str
    subject: str
    rule: str
    fires: bool
    allowed: tuple[str, ...]


@dataclass(slots=True)
class ScenarioReport:
    """What became of every expectation."""

    passed: int = 0
    failures: list[dict[str, Any]] = field(default_factory=list)
    not_built: list[dict[str, Any]] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """The report as `--output json` prints it."""
        return {
            "passed": self.passed,
            "failed": len(self.failures),
            "not_built": len(self.not_built),
            "failures": self.failures,
            "not_built_expectations": self.not_built,
        }


def run_scenarios(path: Path, packs: Path | None = None) -> ScenarioReport:
    """Run every scenario of a file of JSON lines; raises `ConfigError` for a line that is not JSON.

    A scenario that lacks a part of the form is a failure of its own; the others are run.
    """
    report = ScenarioReport()
    screening = OfflineScreening(packs)
    for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not text.strip():
            continue
        try:
            scenario = json.loads(text)
        except ValueError as error:
            raise ConfigError(f"{path.name}, line {number}: not JSON", code="config.scenario") from error
        try:
            _run(scenario, screening, report)
        except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
            report.failures.append({"scenario": f"line {number}", "why": f"not a scenario: {error!r}"})
    return report


def _run(scenario: Mapping[str, Any], screening: OfflineScreening, report: ScenarioReport) -> None:
    controller_id = scenario["controller"]
    said = [*({"fact": fact} for fact in scenario["facts"]), *({"event": event} for event in _events(scenario))]
    lines = read_arrivals(
        [(number, json.dumps(line), line) for number, line in enumerate(said, start=1)],
        strict=False,
        controller_id=controller_id,
    )
    screened = screening.screen(lines)
    built = {entry.id for entry in screening.controller(controller_id.upper()).policies.entries}
    others = "HMBS-" if controller_id.upper() == "CIGNA" else "CIGNA-"
    for expect in scenario["expect"]:
        if "clock_at" in expect:
            report.not_built += [
                {"scenario": scenario["id"], "rule": rule, "why": "clock"} for rule in _rules(expect)
            ]
            continue
        for after in expect.get("superseding", ()):
            report.not_built += [
                {"scenario": scenario["id"], "rule": rule, "why": "late facts"} for rule in _rules(after)
            ]
        for expectation in _expectations(scenario, expect):
            if expectation.rule in built or expectation.rule.startswith(others):
                _settle(expectation, screened, report)
            else:
                report.not_built.append({"scenario": expectation.scenario, "rule": expectation.rule, "why": "entry"})
        if expect.get("adds_no_verdict"):
            _settle_redelivery(scenario, expect, screened, report)


def _events(scenario: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The events as they are delivered; an identical redelivery may say no more than which it repeats."""
    events: list[dict[str, Any]] = []
    for event in scenario["events"]:
        repeated = event.get("duplicate_of")
        own = {name: value for name, value in event.items() if name != "duplicate_of"}
        if isinstance(repeated, int):
            own = {**events[repeated], **own}
        elif repeated is not None:
            own = {**next((one for one in events if one.get("event_id") == repeated), {}), **own}
        events.append(own)
    return events


def _rules(expect: Mapping[str, Any]) -> list[str]:
    return [*expect.get("must_fire", ()), *expect.get("must_not_fire", ())]


def _subject(scenario: Mapping[str, Any], expect: Mapping[str, Any]) -> str:
    if expect.get("event") is None:
        return str(expect["fact"])
    return str(_events(scenario)[expect["event"]]["event_id"])


def _expectations(scenario: Mapping[str, Any], expect: Mapping[str, Any]) -> Iterator[Expectation]:
    subject = _subject(scenario, expect)
    results, tolerated = expect.get("results", {}), expect.get("tolerated", {})
    for rule in expect.get("must_fire", ()):
        yield Expectation(scenario["id"], subject, rule, True, tuple(results.get(rule, ("VIOLATION",))))
    for rule in expect.get("must_not_fire", ()):
        yield Expectation(scenario["id"], subject, rule, False, ("OK", *tolerated.get(rule, ())))


def _settle(expectation: Expectation, screened: Screened, report: ScenarioReport) -> None:
    found = [
        verdict["result"]
        for verdict in screened.verdicts
        if verdict["event_id"] == expectation.subject and verdict["rule_id"] == expectation.rule
    ]
    result = found[-1] if found else "OK"
    if result in expectation.allowed:
        report.passed += 1
        return
    refused = "; ".join(message for _, _, message in screened.refused)
    report.failures.append({**asdict(expectation), "found": result, **({"refused": refused} if refused else {})})


def _settle_redelivery(
    scenario: Mapping[str, Any], expect: Mapping[str, Any], screened: Screened, report: ScenarioReport
) -> None:
    subject = _subject(scenario, expect)
    rules = [verdict["rule_id"] for verdict in screened.verdicts if verdict["event_id"] == subject]
    if len(rules) == len(set(rules)):
        report.passed += 1
    else:
        report.failures.append({"scenario": scenario["id"], "subject": subject, "rule": "adds_no_verdict"})
