"""The example data that ship fit the contract, say the law as it ships, and let everyday work comply."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from inzage.console.references.file import Read, read_facts, written_in
from inzage.console.references.plan import plan
from inzage.schemas.json_face import write
from inzage.schemas.json_lines import read_arrivals
from inzage.streams.dossier.law import law
from inzage.streams.dossier.references import References
from inzage.streams.screening.offline import OfflineScreening
from inzage.streams.screening.pack import policies_of

STARTER = Path("streams/policies/starter")
KNOWN = datetime(2026, 2, 1, tzinfo=UTC)


def _facts(name: str) -> list[Read]:
    path = STARTER / f"{name.lower()}.yaml"
    taken, refused = read_facts(path.name, written_in(path), name)
    assert refused == []
    return taken


@pytest.mark.parametrize("name", ["LAW", "CIGNA", "HMBS"])
def test_every_fact_is_about_something_else(name: str) -> None:
    facts = _facts(name)
    steps, refused = plan("f", facts, [])
    assert refused == [] and len(steps) == len(facts)


def test_the_law_as_facts_is_the_law_that_ships() -> None:
    """Loading it changes no country, so that from then on it can be corrected like any other fact."""
    settings = policies_of("CIGNA").settings
    shipped, loaded = (References("CIGNA", law(), settings) for _ in range(2))
    for one in _facts("LAW"):
        loaded.take(KNOWN, one.said.record)
    before, after = shipped.tables(KNOWN)["country"], loaded.tables(KNOWN)["country"]
    assert {
        row: {k: v for k, v in of.items() if k in ("listed", "in_eea_until", "in_eu_until", "adequacy")}
        for row, of in after.items()
    } == {
        row: {k: v for k, v in of.items() if k in ("listed", "in_eea_until", "in_eu_until", "adequacy")}
        for row, of in before.items()
    }
    said = [one.said.record["body"][1] for one in _facts("LAW") if "decision_ref" in one.said.record["body"][1]]
    assert len(said) == len(law().decisions)


@pytest.mark.parametrize(
    ("controller", "event", "rule"),
    [
        (
            "CIGNA",
            {"actor": {"id": "A", "type": "HUMAN", "role": "CLAIMS_HANDLER", "org_id": "ORG-CIGNA-BE"}},
            "CIGNA-41",
        ),
    ],
)
def test_the_role_matrix_judges(controller: str, event: dict[str, Any], rule: str) -> None:
    """The role that the example data allow complies; one they do not know does not."""
    face = {
        "event_type": "AccessEvent",
        "occurred_at": "2026-03-02T11:00:00+01:00",
        "recorded_at": "2026-03-02T11:00:30+01:00",
        "controller_id": controller,
        "source_system": "test",
        "outcome": "SUCCESS",
        "action": "READ",
        "subject": {"pseudonym": "SUB-1"},
        "data_categories": ["IDENTITY", "CLAIM"],
        "purpose": "CLAIMS_HANDLING",
        "legal_basis": "CONTRACT_PERFORMANCE",
        **event,
    }
    stranger = {**face, "event_id": "stranger", "actor": {**face["actor"], "role": "JANITOR"}}
    said = [write("reference", one.said.record) for name in ("LAW", controller) for one in _facts(name)]
    for number, one in enumerate(said):
        one["fact"].update(fact_id=f"f-{number}", recorded_at="2018-01-01T00:00:00Z")
    lines = [*said, {"event": {**face, "event_id": "known"}}, {"event": stranger}]
    screened = OfflineScreening().screen(read_arrivals([(n, json.dumps(line), line) for n, line in enumerate(lines)]))
    assert screened.refused == []
    assert {v["event_id"] for v in screened.verdicts if v["rule_id"] == rule and v["result"] == "VIOLATION"} == {
        "stranger"
    }
