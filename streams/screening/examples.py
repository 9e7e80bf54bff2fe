"""Runs the examples of policy packs: each entry's own cases of what violates it and what complies."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inzage.schemas.errors import ConfigError, ContractError
from inzage.schemas.json_lines import read_arrivals
from inzage.streams.screening.offline import OfflineScreening, Screened
from inzage.streams.screening.pack import Entry, Example, Pack, Policies, policies_of

_JUDGED = ("example", "judged")
_SHARED = (
    *("ConsentRuleSet", "LegitimateInterestAssessmentRecorded", "MajorityAgeSet", "TenantSetting"),
    *("PolicyPackInForce", "RetentionRuleSet"),
)
"""Facts that hold for everybody: an example with one of them runs alone."""

_OWN = re.compile(
    r'"((?:SUB|ORG|PLAN|DPA|SCC|BCR|ACT|REC|UNIT|LINE|PROV|ANON|SRC|SYS|DEAL|ENT|ENG|LIA|VIOL|BREACH)-)'
)
"""How the identifiers begin that each example gets for itself."""


@dataclass(frozen=True, slots=True)
class Ran:
    """One example as it ran. `found` is what the entry said; None when the example could not be read."""

    controller_id: str
    entry: str
    title: str
    wanted: str
    found: str | None
    problem: str = ""

    @property
    def passed(self) -> bool:
        """Whether the entry said what the example wants."""
        return self.found == self.wanted


def run_examples(controller_id: str, packs: Path | None = None) -> list[Ran]:
    """Run every example of the policies of `controller_id`, its own and those of packs it extends.

    Those that share nothing are judged in one go, each with identifiers of its own and at the time of its arrival;
    one that needs a fact that holds for everybody, such as a setting, is judged alone.
    """
    policies = policies_of(controller_id, packs)
    screening = OfflineScreening(packs)
    examples = [(entry, example) for entry in policies.entries for example in entry.every_example]
    numbered = dict(enumerate(examples))
    alone = {number for number, (_, example) in numbered.items() if holds_for_everybody(example)}
    ran = _run(screening, policies, {number: numbered[number] for number in numbered if number not in alone})
    for number in alone:
        ran |= _run(screening, policies, {number: numbered[number]})
    return [ran[number] for number in numbered]


def _run(
    screening: OfflineScreening, policies: Policies, examples: Mapping[int, tuple[Entry, Example]]
) -> dict[int, Ran]:
    lines, example_of = [], {}
    for number, (entry, example) in examples.items():
        for line in said_by(policies.controller_id, policies.pack_of[entry.id], example):
            lines.append(apart(line, number))
            example_of[len(lines)] = number
    read: list[tuple[int, str, Mapping[str, Any] | ContractError]]
    read = [(number, json.dumps(line), line) for number, line in enumerate(lines, start=1)]
    said = read_arrivals(read, strict=False, controller_id=policies.controller_id)
    screened = screening.screen(said, otherwise=policies.controller_id, deadlines=False)
    problems = {example_of[line]: message for line, _, message in reversed(screened.refused)}
    found = found_in(screened)
    return {
        number: Ran(
            policies.controller_id,
            entry.id,
            example.title,
            example.result,
            None if number in problems else found.get((number, entry.id), "OK"),
            problems.get(number, ""),
        )
        for number, (entry, example) in examples.items()
    }


def found_in(screened: Screened) -> dict[tuple[int, str], str]:
    """What was found in examples that ran together, by number of the example and entry; what is OK is left out."""
    found = {}
    for verdict in screened.verdicts:
        what, _, number = verdict["event_id"].rpartition("~")
        if what in _JUDGED:
            found[int(number), verdict["rule_id"]] = verdict["result"]
    return found


def holds_for_everybody(example: Example) -> bool:
    """Whether the example says something that would change what others say."""
    named = ("LegitimateInterestAssessmentRecorded",) if example.event.get("lia_ref") else ()
    return any(fact["type"] in _SHARED and fact["type"] not in named for fact in example.facts)


def apart(line: Mapping[str, Any], number: int) -> dict[str, Any]:
    """The line with identifiers that only this example has."""
    text = _OWN.sub(lambda found: f'"X{number}-{found[1]}', json.dumps(line))
    content: dict[str, Any] = json.loads(text)
    said = content.get("fact") or content["event"]
    for name in ("fact_id", "event_id", "corrects"):
        if name in said:
            said[name] = f"{said[name]}~{number}"
    return content


def said_by(controller_id: str, pack: Pack, example: Example) -> Iterator[dict[str, Any]]:
    """The facts, then the event: an example says only in what it differs from the pack's base."""
    first = "2018-01-01T00:00:00+01:00"
    facts = {fact.get("fact_id", str(number)): fact for number, fact in enumerate(pack.base_facts)}
    for number, fact in enumerate(example.facts):
        facts[fact.get("fact_id", f"example-{number}")] = fact
    for fact_id, fact in facts.items():
        yield {"fact": {"recorded_at": first, "fact_id": fact_id, "controller_id": controller_id, **fact}}
    if not pack.base_event:
        raise ConfigError(f"pack {pack.pack}: examples need a base_event", code="config.pack")
    base = {**pack.base_event, "controller_id": controller_id}
    for number, earlier in enumerate(example.earlier):
        yield {"event": {**merged(base, earlier), "event_id": f"earlier-{number}"}}
    yield {"event": merged(base, example.event)}


def merged(base: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """`base` with `change` laid over it, objects into objects."""
    result = dict(base)
    for name, value in change.items():
        below = result.get(name)
        result[name] = merged(below, value) if isinstance(value, dict) and isinstance(below, dict) else value
    return result
