"""Decides what must be judged to tell two worlds apart: entries whose predicates differ, or read what differs.

An entry whose predicate is the same and reads nothing that differs gives the same result on every event, so nobody
need ask. Where all that differs is the wording of entries, both wordings are judged at once, over the same columns,
by predicates that hold where one is violated and the other is not: a single pass, and hits only where it matters.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from inzage.streams.dossier.kinds import FAMILIES
from inzage.streams.dossier.reference_rows import Tables
from inzage.streams.screening.pack import LOOK, Policies, Rule
from inzage.streams.screening.view import derived_columns

_SEEN = ("org_key", "destination")
"""Derived columns by which events are counted."""


@dataclass(frozen=True, slots=True)
class World:
    """The policies and references of one world, as they are asked about."""

    policies: Policies
    tables: Tables


@dataclass(frozen=True, slots=True)
class Question:
    """Two worlds with no other rules than those that can tell them apart.

    `marks`: for the rules of `otherwise` by position, the entry, and whether a hit is an event that is violated there
    and not `now` (True) or the other way about (False). Without any, each world is judged by its own rules.
    """

    now: World
    otherwise: World
    entries: tuple[str, ...]
    marks: tuple[tuple[str, bool], ...] = ()

    @property
    def at_once(self) -> bool:
        """Whether `otherwise` alone is judged, by rules that compare."""
        return bool(self.marks)

    @property
    def families(self) -> frozenset[str]:
        """The families of the dossiers that its rules read."""
        rules = (*self.now.policies.rules, *self.otherwise.policies.rules)
        reads = _reads(rule.violated_when for rule in rules)
        return frozenset(family for family in FAMILIES if f"dossier.{family}" in reads)


def question(now: World, otherwise: World, asked: Collection[str] | None = None) -> Question:
    """What must be judged of the entries `asked`, all when None. No rule says that nothing can differ.

    Only rules about activities count, and of them only when they are violated.
    """
    before, after = _rules(now.policies, asked), _rules(otherwise.policies, asked)
    changed = _changed(now.tables, otherwise.tables)
    differing = [
        entry
        for entry in dict.fromkeys((*after, *before))
        if _text(before, entry) != _text(after, entry)
        or any(_reads([side[entry].violated_when]) & changed for side in (before, after) if entry in side)
    ]
    old = [before[entry].violated_when for entry in differing if entry in before]
    if _reads((*old, *_SEEN)) & changed:
        sides = [
            World(_with(world.policies, [rules[entry] for entry in differing if entry in rules]), world.tables)
            for world, rules in ((now, before), (otherwise, after))
        ]
        return Question(sides[0], sides[1], tuple(differing))
    compared, marks = [], []
    for entry in differing:
        one, other = before.get(entry), after.get(entry)
        for violated, not_violated, newly in ((other, one, True), (one, other, False)):
            if violated is not None:
                compared.append(replace(violated, violated_when=_only(violated, not_violated)))
                marks.append((entry, newly))
    policies = _with(otherwise.policies, compared)
    policies = replace(policies, pack_of={**now.policies.pack_of, **otherwise.policies.pack_of})
    nothing = World(_with(now.policies, []), {})
    return Question(nothing, World(policies, otherwise.tables), tuple(differing), tuple(marks))


def dependents(policies: Policies, before: Tables, after: Tables) -> list[str]:
    """The entries whose predicates may read a column that differs between the references."""
    changed = _changed(before, after)
    return [
        entry.id
        for entry in policies.entries
        if _reads(text for rule in policies.rules if rule.entry.id == entry.id for text in _texts(rule)) & changed
    ]


def _rules(policies: Policies, asked: Collection[str] | None) -> dict[str, Rule]:
    """The rules about activities by entry, bare of what is not asked: warnings and instants."""
    return {
        rule.entry.id: replace(rule, warned_when=None, due=())
        for rule in policies.rules
        if not rule.judges and (asked is None or rule.entry.id in asked)
    }


def _with(policies: Policies, rules: Sequence[Rule]) -> Policies:
    return replace(policies, entries=(), rules=tuple(rules), judged_facts=frozenset())


def _text(rules: Mapping[str, Rule], entry: str) -> str | None:
    return rules[entry].violated_when.strip() if entry in rules else None


def _only(violated: Rule, not_violated: Rule | None) -> str:
    """A predicate that holds where one rule is violated and the other, of the same entry, is not."""
    if not_violated is None:
        return violated.violated_when
    looks = violated.of_looks or not_violated.of_looks
    one, other = (_held_to(rule, looks=looks) for rule in (violated, not_violated))
    return f"ifNull({one} = 1, 0) AND NOT ifNull({other} = 1, 0)"


def _held_to(rule: Rule, *, looks: bool) -> str:
    """The predicate of a rule; beside one of looks at the trail, one that is not of looks says nothing of them."""
    text = f"(\n{rule.violated_when}\n)"
    if not looks or rule.of_looks:
        return text
    return f"if(ifNull(event_type = '{LOOK}', 0), 0, {text})"


def _changed(before: Tables, after: Tables) -> set[str]:
    """What differs between the references: `ref.<table>.<column>`, `setting.<name>`."""
    changed = set()
    for table in {*before, *after}:
        for key in {*before.get(table, {}), *after.get(table, {})}:
            old, new = before.get(table, {}).get(key, {}), after.get(table, {}).get(key, {})
            differing = _differing(old, new)
            if table == "setting" and differing:
                changed.add(f"setting.{key[0]}")
            changed |= {f"ref.{table}.{column}" for column in differing}
    return changed


def _differing(before: Mapping[str, Any], after: Mapping[str, Any]) -> set[str]:
    return {name for name in {*before, *after} if before.get(name) != after.get(name)}


def _texts(rule: Rule) -> list[str]:
    return [text for text in (rule.violated_when, rule.warned_when) if text]


def _reads(texts: Iterable[str]) -> set[str]:
    """Every lookup that predicates rest on: `ref.<table>.<column>`, `dossier.<family>` and `setting.<name>`."""
    columns, done, lookups = derived_columns(), set[str](), set[str]()
    waiting = list(texts)
    while waiting:
        text = waiting.pop()
        lookups |= set(re.findall(r"\b(?:ref\.\w+\.\w+|dossier\.\w+)", text))
        lookups |= {f"setting.{name}" for name in re.findall(r"\bsetting(?:_list)?\.(\w+)", text)}
        for name in set(re.findall(r"\b[a-z_]\w*", text)) & columns.keys() - done:
            done.add(name)
            waiting.append(columns[name].sql)
    return lookups
