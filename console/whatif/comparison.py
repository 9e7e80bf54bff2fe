"""Judges the events of the trail twice, as things are and as they would be, and counts what differs.

The policies are the worker's own predicates on the worker's engine; only those that can differ are evaluated.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from inzage.console.whatif.evidence import Evidence, Stretch
from inzage.schemas.codec import Schema
from inzage.streams.dossier.kinds import FAMILIES
from inzage.streams.dossier.reference_rows import Tables
from inzage.streams.screening.engine import Controller, engine
from inzage.streams.screening.pack import Policies
from inzage.streams.screening.row import Hit, Row
from inzage.streams.screening.view import VIOLATION, derived_columns

JUDGED_AT_ONCE = 50_000


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two worlds: policies and references."""

    controller: Controller

    @classmethod
    def of(cls, policies: Policies, tables: Tables) -> Side:
        """Compile the policies and load the references; raises `ConfigError` for predicates that make no table."""
        controller = engine().add(policies)
        engine().load_tables(controller, tables)
        return cls(controller)

    def violations(self, schema: Schema, rows: Sequence[Row]) -> dict[tuple[int, str], Hit]:
        """What is violated: (offset, entry) -> hit."""
        hits, _ = engine().judge(self.controller, schema, rows)
        rules = self.controller.policies.rules
        return {(hit.offset, rules[at].entry.id): hit for hit in hits for at, code in hit.codes if code == VIOLATION}


@dataclass(slots=True)
class Difference:
    """What would newly be violated, or no longer: events by entry and recipient, and the persons concerned."""

    events: int = 0
    persons: set[str] = field(default_factory=set)
    by_recipient: dict[tuple[str, str, str], tuple[int, set[str]]] = field(default_factory=dict)
    """(entry, recipient, destination) -> number of events and persons."""
    shown: list[dict[str, Any]] = field(default_factory=list)

    def take(self, rules: Mapping[int, list[str]], hits: Mapping[int, Hit], limit: int) -> None:
        """Count events, each with the entries that differ; the first `limit` are kept to be shown."""
        for offset, entries in rules.items():
            seen = hits[offset].seen
            person = seen["subject.pseudonym"]
            self.events += 1
            self.persons.add(person)
            for entry in entries:
                key = entry, seen["org_key"] or "", seen["destination"] or ""
                count, persons = self.by_recipient.get(key, (0, set()))
                persons.add(person)
                self.by_recipient[key] = count + 1, persons
            if len(self.shown) < limit:
                names = ("event_id", "occurred_at", "org_key", "destination", "purpose")
                self.shown.append(
                    {"rules": sorted(entries), "subject": person, **{name: seen[name] for name in names}}
                )

    def as_json(self) -> dict[str, Any]:
        """Counts, then recipients by number of events, then examples."""
        ordered = sorted(self.by_recipient.items(), key=lambda pair: (-pair[1][0], pair[0]))
        recipients = [
            {"rule_id": entry, "recipient": org, "destination": destination, "events": count, "persons": len(persons)}
            for (entry, org, destination), (count, persons) in ordered
        ]
        recipient_names = {org for _, org, _ in self.by_recipient if org}
        return {
            "events": self.events,
            "persons": len(self.persons),
            "recipients": len(recipient_names),
            "by_recipient": recipients,
            "examples": self.shown,
        }


@dataclass(slots=True)
class Comparison:
    """What a hypothesis changes. `judged` counts the events that were judged, of `evidence.events` in the period."""

    judged: int = 0
    violated: Difference = field(default_factory=Difference)
    lawful: Difference = field(default_factory=Difference)


def compare(evidence: Evidence, now: Side, otherwise: Side, words: Sequence[bytes], limit: int = 20) -> Comparison:
    """Judge every event that the hypothesis may concern on both sides."""
    found = Comparison()
    sides = (now, otherwise)
    personal = any(_reads_dossiers(side.controller.policies) for side in sides)
    for stretch in evidence.stretches(words):
        found.judged += stretch.count
        if personal:
            dossiers = list(evidence.dossiers(stretch))
            for side in sides:
                engine().load_dossiers(side.controller, dossiers)
        for schema, rows in _batches(stretch):
            before, after = now.violations(schema, rows), otherwise.violations(schema, rows)
            found.violated.take(_grouped(after.keys() - before.keys()), _by_offset(after), limit)
            found.lawful.take(_grouped(before.keys() - after.keys()), _by_offset(before), limit)
    return found


def dependents(policies: Policies, before: Tables, after: Tables) -> list[str]:
    """The entries whose predicates may read a column that differs between the references."""
    changed = {
        f"ref.{table}.{column}"
        for table in {*before, *after}
        for key in {*before.get(table, {}), *after.get(table, {})}
        for column in _differing(before.get(table, {}).get(key, {}), after.get(table, {}).get(key, {}))
    }
    return [entry.id for entry in policies.entries if _reads(policies, entry.id) & changed]


def _differing(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterable[str]:
    return (name for name in {*before, *after} if before.get(name) != after.get(name))


def _reads_dossiers(policies: Policies) -> bool:
    reads = {read for entry in policies.entries for read in _reads(policies, entry.id)}
    return any(f"dossier.{family}" in reads for family in FAMILIES)


def _reads(policies: Policies, entry_id: str) -> set[str]:
    """Every lookup that an entry's predicates rest on: `ref.<table>.<column>` and `dossier.<family>`."""
    texts = [
        text
        for rule in policies.rules
        if rule.entry.id == entry_id
        for text in (rule.violated_when, rule.warned_when)
    ]
    columns, done, lookups = derived_columns(), set[str](), set[str]()
    waiting = [text for text in texts if text]
    while waiting:
        text = waiting.pop()
        lookups |= set(re.findall(r"\b(?:ref\.\w+\.\w+|dossier\.\w+)", text))
        for name in set(re.findall(r"\b[a-z_]\w*", text)) & columns.keys() - done:
            done.add(name)
            waiting.append(columns[name].sql)
    return lookups


def _batches(stretch: Stretch) -> Iterable[tuple[Schema, Sequence[Row]]]:
    for schema, rows in stretch.rows.items():
        for begin in range(0, len(rows), JUDGED_AT_ONCE):
            yield schema, rows[begin : begin + JUDGED_AT_ONCE]


def _grouped(differing: Iterable[tuple[int, str]]) -> dict[int, list[str]]:
    grouped: dict[int, list[str]] = defaultdict(list)
    for offset, entry in sorted(differing):
        grouped[offset].append(entry)
    return grouped


def _by_offset(hits: Mapping[tuple[int, str], Hit]) -> dict[int, Hit]:
    return {offset: hit for (offset, _), hit in hits.items()}
