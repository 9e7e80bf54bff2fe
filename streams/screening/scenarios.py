"""Runs scenarios with expectations: facts and events as they arrived, and what must and must not fire.

Fires means that the current verdict is VIOLATION; does not fire means OK or no verdict, NOT_EVALUABLE does not pass.
An entry that does not exist yet is listed as not built, never passed silently. What is expected of an event holds
before the late facts that `superseding` names, and without those when the last line has arrived; after each of them
what it says holds. `clock_at` is what holds when the service's clock reads so and nothing else arrived.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from inzage.schemas.errors import ConfigError
from inzage.schemas.json_lines import read_arrivals
from inzage.streams.screening.engine import Judging, engine
from inzage.streams.screening.offline import OfflineScreening, Screened
from inzage.streams.screening.revision import Moment
from inzage.streams.screening.together import Together

_ALL = 1 << 62
"""A horizon that everything in a scenario is below."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """One expectation: whether `rule` fires for an event or fact of a scenario, as known at the moment `until`."""

    scenario: str
    subject: str
    rule: str
    fires: bool
    allowed: tuple[str, ...]
    after_fact: str
    until: Moment
    unchanged: bool
    """Whether a late fact leads to the same result, so that no verdict may be appended."""


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

    They are judged together, and none sees what another says. A scenario that lacks a part of the form is a failure
    of its own; the others are run.
    """
    tasks = [partial(_report_on, number, scenario, packs) for number, scenario in read_scenarios(path)]
    report = ScenarioReport()
    for ran in Together(engine()).run(tasks):
        if isinstance(ran, Exception):
            raise ran
        report.passed += ran.passed
        report.failures += ran.failures
        report.not_built += ran.not_built
    return report


def read_scenarios(path: Path) -> list[tuple[int, Any]]:
    """The scenarios of a file with the number of their line; raises `ConfigError` for a line that is not JSON."""
    scenarios = []
    for number, text in enumerate(path.read_text(encoding="utf-8").split("\n"), start=1):
        if not text.strip():
            continue
        try:
            scenarios.append((number, json.loads(text)))
        except ValueError as error:
            raise ConfigError(f"{path.name}, line {number}: not JSON", code="config.scenario") from error
    return scenarios


def _report_on(number: int, scenario: Any, packs: Path | None, judging: Judging) -> ScenarioReport:
    report = ScenarioReport()
    try:
        _run(scenario, OfflineScreening(packs, judging), report)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        report.failures.append({"scenario": f"line {number}", "why": f"not a scenario: {error!r}"})
    return report


def screen_scenario(scenario: Mapping[str, Any], screening: OfflineScreening) -> Screened:
    """What comes of the facts and events of a scenario, with what its clock reaches."""
    controller_id = scenario["controller"]
    said = [*({"fact": fact} for fact in scenario["facts"]), *({"event": event} for event in _events(scenario))]
    lines = read_arrivals(
        [(number, json.dumps(line), line) for number, line in enumerate(said, start=1)],
        strict=False,
        controller_id=controller_id,
    )
    clock = [datetime.fromisoformat(expect["clock_at"]) for expect in scenario["expect"] if "clock_at" in expect]
    return screening.screen(lines, clock=clock, otherwise=controller_id)


def _run(scenario: Mapping[str, Any], screening: OfflineScreening, report: ScenarioReport) -> None:
    controller_id = scenario["controller"]
    screened = screen_scenario(scenario, screening)
    built = {entry.id for entry in screening.controller(controller_id.upper()).policies.entries}
    others = "HMBS-" if controller_id.upper() == "CIGNA" else "CIGNA-"
    for expect in scenario["expect"]:
        for expectation in _expectations(scenario, expect, screened):
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


def _subject(scenario: Mapping[str, Any], expect: Mapping[str, Any]) -> str:
    if expect.get("event") is None:
        return str(expect["fact"])
    return str(_events(scenario)[expect["event"]]["event_id"])


def _expectations(
    scenario: Mapping[str, Any], expect: Mapping[str, Any], screened: Screened
) -> Iterator[Expectation]:
    stated = [(screened.positions[after["after_fact"]], after) for after in expect.get("superseding", ())]
    late = sorted(stated, key=lambda pair: pair[0])
    until = _before(late[0][0]) if late else Moment(_ALL, screened.arrived)
    if "clock_at" in expect:
        at = int(datetime.fromisoformat(expect["clock_at"]).timestamp() * 1000)
        until = Moment(max((moment.horizon for moment in screened.moments if moment.at <= at), default=0), at)
    yield from _of_state(scenario, expect, expect, "", until)
    for moment, after in late:
        yield from _of_state(scenario, expect, after, after["after_fact"], moment)


def _of_state(
    scenario: Mapping[str, Any], expect: Mapping[str, Any], state: Mapping[str, Any], after: str, until: Moment
) -> Iterator[Expectation]:
    subject = _subject(scenario, expect)
    results, tolerated = state.get("results", {}), state.get("tolerated", expect.get("tolerated", {}))
    for name, fires in (("must_fire", True), ("must_not_fire", False)):
        for rule in state.get(name, ()):
            allowed = results.get(rule, ("VIOLATION",)) if fires else ("OK", *tolerated.get(rule, ()))
            unchanged = bool(after) and rule in expect.get(name, ())
            yield Expectation(scenario["id"], subject, rule, fires, tuple(allowed), after, until, unchanged)


def _before(moment: Moment) -> Moment:
    return Moment(moment.horizon - 1, moment.at)


def _settle(expectation: Expectation, screened: Screened, report: ScenarioReport) -> None:
    given = [
        (moment, verdict)
        for moment, verdict in sorted(zip(screened.moments, screened.verdicts, strict=True), key=lambda pair: pair[0])
        if verdict["event_id"] == expectation.subject
        and verdict["rule_id"] == expectation.rule
        and moment <= expectation.until
        and moment.at <= expectation.until.at
    ]
    result = given[-1][1]["result"] if given else "OK"
    needless = expectation.unchanged and bool(given) and given[-1][0] == expectation.until
    if result in expectation.allowed and not needless:
        report.passed += 1
        return
    refused = "; ".join(message for _, _, message in screened.refused)
    failure = {
        name: value
        for name, value in asdict(expectation).items()
        if name not in ("until", "unchanged") and value != ""
    }
    report.failures.append(
        {
            **failure,
            "found": "superseded needlessly" if needless else result,
            **({"refused": refused} if refused else {}),
        }
    )


def _settle_redelivery(
    scenario: Mapping[str, Any], expect: Mapping[str, Any], screened: Screened, report: ScenarioReport
) -> None:
    subject = _subject(scenario, expect)
    rules = [verdict["rule_id"] for verdict in screened.verdicts if verdict["event_id"] == subject]
    if len(rules) == len(set(rules)):
        report.passed += 1
    else:
        report.failures.append({"scenario": scenario["id"], "subject": subject, "rule": "adds_no_verdict"})
