"""The packs, judged with ClickHouse and without, and an independent reading of the catalogue judge events alike."""

from __future__ import annotations

from pathlib import Path

import pytest

from inzage.streams.screening.engine import engine
from inzage.streams.screening.pack import policies_of
from tests.differential.both import judged_twice
from tests.differential.oracle import VIOLATED
from tests.differential.stream import differences, generated


@pytest.mark.parametrize(("controller_id", "seed"), [("CIGNA", 11), ("HMBS", 12)])
def test_screening_and_oracle_agree_on_every_event(controller_id: str, seed: int) -> None:
    """Facts and events full of nulls, UNKNOWN, boundary instants and odd countries; each entry is seen both ways."""
    controller = engine().add(policies_of(controller_id))
    stream = generated(seed, controller_id, 600, blocks=2)
    with judged_twice() as both:
        different, results = differences(stream, controller)
    assert not both.report() and not both.declined
    assert not different, (len(different), different[0])
    assert len(stream.events) == 600
    for rule, seen in results.items():
        finds = "WARNING" if rule.startswith("INTAKE") else "VIOLATION"
        assert {finds, "OK"} <= seen, (rule, seen)


def test_the_oracle_knows_entries_that_exist() -> None:
    """What it does not know yet is judged by examples and scenarios alone."""
    packs = Path(__file__).parents[2] / "streams" / "policies"
    controllers = [path.stem.upper() for path in packs.glob("*.yaml") if path.stem not in ("law", "intake")]
    entries = {entry.id for name in controllers for entry in policies_of(name).entries}
    assert set(VIOLATED) <= entries
    assert len(VIOLATED) >= 46
