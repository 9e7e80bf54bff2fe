"""Which entries must be judged to tell two worlds apart, and whether one pass is enough."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from inzage.console.whatif.question import World, question
from inzage.streams.dossier.law import law
from inzage.streams.dossier.reference_rows import Tables
from inzage.streams.dossier.references import References
from inzage.streams.screening.pack import LOOK, Policies, policies_of


def reworded(policies: Policies, entry_id: str, text: str) -> Policies:
    rules = tuple(
        replace(rule, violated_when=text) if rule.entry.id == entry_id and not rule.judges else rule
        for rule in policies.rules
    )
    return replace(policies, rules=rules)


@pytest.fixture(scope="module")
def policies() -> Policies:
    return policies_of("CIGNA")


@pytest.fixture(scope="module")
def tables(policies: Policies) -> Tables:
    return References("CIGNA", law(), policies.settings).tables(datetime(2026, 1, 1, tzinfo=UTC))


def test_of_the_same_pack_nothing_need_be_judged(policies: Policies, tables: Tables) -> None:
    asked = question(World(policies, tables), World(policies, tables))
    assert asked.entries == () and asked.otherwise.policies.rules == ()


def test_another_wording_is_judged_in_one_pass_beside_the_old_one(policies: Policies, tables: Tables) -> None:
    other = reworded(policies, "CIGNA-69", "third_party AND NOT in_eea AND NOT adequate")
    asked = question(World(policies, tables), World(other, tables))
    assert asked.entries == ("CIGNA-69",)
    assert asked.at_once and asked.marks == (("CIGNA-69", True), ("CIGNA-69", False))
    assert asked.families == {"consents", "emergencies"}
    assert question(World(policies, tables), World(other, tables), ["CIGNA-68"]).entries == ()


def test_an_entry_that_reads_a_changed_setting_is_judged_in_both_worlds(policies: Policies, tables: Tables) -> None:
    settings = dict(policies.settings)
    assert isinstance(settings["certification_grace_seconds"], float | int)
    settings["certification_grace_seconds"] = 1.0
    others = References("CIGNA", law(), settings).tables(datetime(2026, 1, 1, tzinfo=UTC))
    asked = question(World(policies, tables), World(policies, others))
    assert asked.entries and not asked.at_once
    assert [rule.entry.id for rule in asked.now.policies.rules] == list(asked.entries)
    text = " ".join(rule.violated_when for rule in asked.otherwise.policies.rules)
    assert "emergency" in text and len(asked.entries) < 20


def test_an_entry_taken_away_and_one_about_looks(policies: Policies, tables: Tables) -> None:
    without = policies.only([entry.id for entry in policies.entries if entry.id != "CIGNA-69"])
    asked = question(World(policies, tables), World(without, tables))
    assert asked.marks == (("CIGNA-69", False),)
    assert asked.otherwise.policies.pack_of["CIGNA-69"].pack == "CIGNA"
    other = reworded(policies, "CIGNA-69", f"event_type = '{LOOK}'")
    (rule, _) = question(World(policies, tables), World(other, tables)).otherwise.policies.rules
    assert f"ifNull(event_type = '{LOOK}', 0)" in rule.violated_when and rule.of_looks
