"""What is judged together is judged as it would be alone, whoever sits beside it."""

from __future__ import annotations

import json
import random
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from inzage.schemas.errors import ConfigError
from inzage.streams.screening.engine import Judging, engine
from inzage.streams.screening.offline import OfflineScreening, Screened
from inzage.streams.screening.scenarios import read_scenarios, run_scenarios, screen_scenario
from inzage.streams.screening.together import Together

SCENARIOS = [scenario for _, scenario in read_scenarios(Path(__file__).parents[3] / "data" / "scenarios.jsonl")]
_EVERY, _OF_EACH = 60, 2
"""One of so many is judged alone, and so many of each feature of the form; all of them cost minutes."""


def _screen(scenario: dict[str, Any], judging: Judging) -> Screened:
    return screen_scenario(scenario, OfflineScreening(None, judging))


def _together(scenarios: list[dict[str, Any]]) -> list[Screened | Exception]:
    return Together(engine()).run([partial(_screen, scenario) for scenario in scenarios])


def test_company_makes_no_difference() -> None:
    """Every scenario among other neighbours gives the same verdicts, ids and facts."""
    in_order = _together(SCENARIOS)
    places = list(range(len(SCENARIOS)))
    random.Random(4).shuffle(places)
    shuffled = _together([SCENARIOS[place] for place in places])
    assert [in_order[place] for place in places] == shuffled
    assert sum(len(one.verdicts) for one in in_order if isinstance(one, Screened)) > len(SCENARIOS)


@pytest.mark.slow
def test_alone_it_is_the_same() -> None:
    """Judged with the tables of the worker, by itself."""
    chosen = SCENARIOS[::_EVERY]
    for feature in ("superseding", "clock_at", "adds_no_verdict"):
        chosen += [one for one in SCENARIOS if any(feature in expect for expect in one["expect"])][:_OF_EACH]
    screening = OfflineScreening()
    assert [screen_scenario(scenario, screening) for scenario in chosen] == _together(chosen)


def test_the_same_names_in_two_scenarios_are_two_persons_and_two_companies(tmp_path: Path) -> None:
    """One says what would make the other lawful, about identifiers that are the same."""
    lawful = next(one for one in SCENARIOS if one["expect"][0].get("must_not_fire") and len(one["facts"]) > 4)
    rule = lawful["expect"][0]["must_not_fire"][0]
    bare = {**lawful, "id": "bare", "facts": []}
    path = tmp_path / "scenarios.jsonl"
    path.write_text("\n".join(json.dumps(one) for one in (lawful, bare, lawful)), encoding="utf-8")
    apart = _together([bare, lawful])
    assert apart[0] != apart[1]
    assert rule and run_scenarios(path).passed >= 2 * len(lawful["expect"][0]["must_not_fire"])


def test_a_scenario_without_form_does_not_stop_the_others(tmp_path: Path) -> None:
    path = tmp_path / "scenarios.jsonl"
    path.write_text("\n".join(json.dumps(one) for one in ({"id": "x"}, SCENARIOS[0], 7)), encoding="utf-8")
    report = run_scenarios(path)
    assert report.passed and [failure["scenario"] for failure in report.failures] == ["line 1", "line 3"]


def test_what_one_raises_is_its_own() -> None:
    def fails(_: Judging) -> Screened:
        raise ConfigError("no", code="config.no")

    failed, screened = Together(engine()).run([fails, partial(_screen, SCENARIOS[0])])
    assert isinstance(failed, ConfigError) and isinstance(screened, Screened)
