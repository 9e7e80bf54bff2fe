"""Runs the examples of policy packs: each entry's own cases of what violates it and what complies."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inzage.schemas.errors import ConfigError
from inzage.schemas.json_lines import read_arrivals
from inzage.streams.screening.offline import OfflineScreening
from inzage.streams.screening.pack import Entry, Example, Pack, Policies, policies_of


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
    """Run every example of the policies of `controller_id`, its own and those of packs it extends."""
    policies = policies_of(controller_id, packs)
    screening = OfflineScreening(packs)
    return [
        _run(screening, policies, entry, example)
        for entry in policies.entries
        for example in (*entry.examples.violates, *entry.examples.complies)
    ]


def _run(screening: OfflineScreening, policies: Policies, entry: Entry, example: Example) -> Ran:
    pack = policies.pack_of[entry.id]
    said = list(said_by(policies.controller_id, pack, example))
    lines = read_arrivals(
        [(number, json.dumps(line), line) for number, line in enumerate(said, start=1)],
        strict=False,
        controller_id=policies.controller_id,
    )
    screened = screening.screen(lines)
    if screened.refused:
        number, _, message = screened.refused[0]
        return Ran(policies.controller_id, entry.id, example.title, example.result, None, f"line {number}: {message}")
    judged = [
        verdict
        for verdict in screened.verdicts
        if verdict["rule_id"] == entry.id and verdict["event_id"] in ("example", "judged")
    ]
    found = judged[-1]["result"] if judged else "OK"
    return Ran(policies.controller_id, entry.id, example.title, example.result, found)


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
