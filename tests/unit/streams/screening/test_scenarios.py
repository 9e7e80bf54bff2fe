"""Scenarios as a lawyer writes them run through the same code as the worker: every entry in both directions."""

from __future__ import annotations

import json
from pathlib import Path

from inzage.streams.screening.pack import policies_of
from inzage.streams.screening.scenarios import run_scenarios

SCENARIOS = Path(__file__).parents[3] / "data" / "scenarios.jsonl"


def test_every_scenario_ends_as_expected() -> None:
    report = run_scenarios(SCENARIOS).as_json()
    assert not report["failures"]
    assert report["not_built"] == 0 and report["passed"] > 100


def test_every_entry_fires_in_one_scenario_and_holds_in_another() -> None:
    fires, holds = set(), set()
    for line in SCENARIOS.read_text(encoding="utf-8").splitlines():
        for expect in json.loads(line)["expect"]:
            fires |= set(expect["must_fire"])
            holds |= set(expect["must_not_fire"])
    built = {entry.id for controller_id in ("CIGNA", "HMBS") for entry in policies_of(controller_id).entries}
    assert built <= fires and built <= holds, (built - fires, built - holds)
