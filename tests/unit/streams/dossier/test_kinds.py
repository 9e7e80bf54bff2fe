"""Without any fact of the kinds of a family nobody has a row in it."""

from __future__ import annotations

from typing import Any

from inzage.schemas.json_face import read
from inzage.streams.dossier.kinds import FAMILIES, kinds_of
from inzage.streams.dossier.person import rows_of
from inzage.streams.screening.pack import policies_of


def test_facts_of_other_kinds_make_no_row_of_a_family() -> None:
    """All facts of the examples of both packs, in one dossier each."""
    facts = [record for controller in ("CIGNA", "HMBS") for record in _facts(controller)]
    whole = rows_of(facts)
    assert sum(bool(rows) for rows in whole.values()) > len(FAMILIES) // 2
    for family in FAMILIES:
        kinds = kinds_of([family])
        others = [fact for fact in facts if fact["body"][0].rpartition(".")[2] not in kinds]
        assert rows_of(others)[family] == []
        assert not whole[family] or len(others) < len(facts)


def _facts(controller: str) -> list[dict[str, Any]]:
    policies = policies_of(controller)
    said = [fact for entry in policies.entries for example in entry.every_example for fact in example.facts]
    said += policies.own.base_facts
    envelope = {"recorded_at": "2026-01-01T00:00:00Z", "source_system": "test"}
    return [
        read({"fact": {**envelope, **fact, "fact_id": f"{controller}-{number}"}}, controller_id=controller).record
        for number, fact in enumerate(said)
        if "subject" in fact
    ]
