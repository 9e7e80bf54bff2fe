"""The examples of a pack are strong enough: a predicate with one operator turned around fails one of them.

All examples of a pack run in one screening, each with identifiers of its own, and so do all mutants.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace

import pytest
import sqlglot
from sqlglot import exp

from inzage.schemas.json_lines import read_arrivals
from inzage.streams.screening.engine import engine
from inzage.streams.screening.examples import apart, found_in, holds_for_everybody, run_examples, said_by
from inzage.streams.screening.offline import OfflineScreening
from inzage.streams.screening.pack import Entry, Example, Policies, Rule, policies_of
from tests.differential.both import judged_twice

_TURNED: dict[type[exp.Expr], type[exp.Expr]] = {
    exp.EQ: exp.NEQ,
    exp.NEQ: exp.EQ,
    exp.And: exp.Or,
    exp.Or: exp.And,
    exp.LT: exp.GTE,
    exp.GT: exp.LTE,
}


def mutants(predicate: str) -> Iterator[str]:
    """The predicate with one operator turned around, or one negation more or less."""
    count = len(list(sqlglot.parse_one(predicate, read="clickhouse").walk()))
    for place in range(count):
        tree = exp.Paren(this=sqlglot.parse_one(predicate, read="clickhouse"))
        node = list(tree.this.walk())[place]
        if type(node) in _TURNED:
            node.replace(_TURNED[type(node)](this=node.this.copy(), expression=node.expression.copy()))
        elif isinstance(node, exp.Not):
            node.replace(node.this.copy())
        elif isinstance(node, exp.In):
            node.replace(exp.Paren(this=exp.Not(this=node.copy())))
        else:
            continue
        yield str(tree.sql(dialect="clickhouse"))


def examples_of(policies: Policies) -> list[tuple[Entry, Example]]:
    return [
        (entry, example)
        for entry in policies.entries
        for example in entry.every_example
        if not holds_for_everybody(example)
    ]


def results(policies: Policies) -> dict[tuple[int, str], str]:
    """What every rule says of every example, by number and id; OK is left out."""
    screening = OfflineScreening()
    screening._controllers[policies.controller_id] = engine().add(policies)
    lines = [
        apart(line, number)
        for number, (entry, example) in enumerate(examples_of(policies_of(policies.controller_id)))
        for line in said_by(policies.controller_id, policies.pack_of[entry.id], example)
    ]
    read = [(number, "", line) for number, line in enumerate(lines, start=1)]
    said = read_arrivals(read, strict=False, controller_id=policies.controller_id)
    screened = screening.screen(said, otherwise=policies.controller_id)
    assert not screened.refused
    return found_in(screened)


@pytest.mark.parametrize("controller_id", ["CIGNA", "HMBS"])
def test_examples_hold(controller_id: str) -> None:
    """By ClickHouse, and the same without it."""
    with judged_twice() as both:
        ran = run_examples(controller_id)
    assert not both.report() and not both.declined and both.rows > len(ran)
    assert len(ran) > 40
    assert not [example for example in ran if not example.passed]


@pytest.mark.parametrize("controller_id", ["CIGNA", "HMBS"])
def test_a_predicate_turned_around_fails_an_example(controller_id: str) -> None:
    """At least two of three mutants of every entry, and at least nine of ten altogether."""
    original = policies_of(controller_id)
    examples = examples_of(original)
    made: dict[str, tuple[Entry, str]] = {}
    for entry in original.entries:
        for text in mutants(entry.violated_when):
            made[f"MUTANT-{len(made) + 10:03}"] = entry, text
    entries = tuple(
        entry.model_copy(update={"id": name, "violated_when": text, "fact_rules": [], "lower_severity": None})
        for name, (entry, text) in made.items()
    )
    rules = tuple(Rule(entry, entry.judges, entry.violated_when, entry.warned_when) for entry in entries)
    pack_of = {**original.pack_of, **{name: original.pack_of[entry.id] for name, (entry, _) in made.items()}}
    judged = frozenset(rule.judges for rule in rules) - {""}
    found = results(replace(original, entries=entries, rules=rules, pack_of=pack_of, judged_facts=judged))
    killed: dict[str, list[bool]] = defaultdict(list)
    survivors = []
    for name, (entry, text) in made.items():
        dead = any(
            found.get((number, name), "OK") != example.result
            for number, (of, example) in enumerate(examples)
            if of is entry and (entry.judges or not any(fact.get("fact_id") == "judged" for fact in example.facts))
        )
        killed[entry.id].append(dead)
        if not dead:
            survivors.append((entry.id, text))
    weak = {rule: f"{sum(dead)} of {len(dead)}" for rule, dead in killed.items() if sum(dead) * 3 < len(dead) * 2}
    assert not weak, (weak, [survivor for survivor in survivors if survivor[0] in weak])
    every = [dead for of_entry in killed.values() for dead in of_entry]
    assert len(every) > 30 and sum(every) >= 0.9 * len(every), survivors
