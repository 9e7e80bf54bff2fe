"""Registers say what held when: later facts of one identity correct, and a policy ends with the next."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from inzage.schemas.json_face import read
from inzage.streams.dossier.law import law
from inzage.streams.dossier.reference_rows import Tables
from inzage.streams.dossier.references import References
from inzage.streams.dossier.registers import REGISTERS
from inzage.streams.dossier.time import FAR
from inzage.streams.screening.pack import policies_of

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def tables(*facts: dict[str, Any]) -> Tables:
    references = References("HMBS", law(), policies_of("HMBS").settings)
    for number, fact in enumerate(facts):
        envelope = {"fact_id": f"f{number}", "recorded_at": NOW, "controller_id": "HMBS"}
        references.take(NOW, read({"fact": {**envelope, **fact}}).record)
    return references.tables(NOW)


def test_every_kind_of_a_register_is_a_kind_of_fact() -> None:
    for kind in REGISTERS:
        assert read({"fact": {"type": kind, "fact_id": "f", "recorded_at": NOW, "controller_id": "HMBS"}})


def test_an_employment_that_ends_is_the_same_one() -> None:
    began = {"type": "StaffRegistered", "actor_id": "A", "employment_from": datetime(2020, 1, 1, tzinfo=UTC)}
    (entry,) = tables(began, {**began, "employment_to": NOW})["staff"]["A",]["entries"]
    assert (entry["to"], entry["fact_ids"]) == (NOW, ("f0", "f1"))
    again = {**began, "employment_from": NOW}
    assert len(tables(began, again)["staff"]["A",]["entries"]) == 2


def test_the_next_channel_policy_ends_the_one_before_in_either_order() -> None:
    old = {
        "type": "ChannelPolicySet",
        "approved_secure_channels": ["POST"],
        "valid_from": datetime(2020, 1, 1, tzinfo=UTC),
    }
    new = {"type": "ChannelPolicySet", "approved_secure_channels": ["EDI_MTLS"], "valid_from": NOW}
    for facts in ((old, new), (new, old)):
        entries = tables(*facts)["channel_policy"]["",]["entries"]
        assert [(entry["channels"], entry["to"]) for entry in entries] == [(["POST"], NOW), (["EDI_MTLS"], FAR)]


def test_only_registers_with_entries_count_as_kept() -> None:
    assert tables()["registry"] == {}
    assert set(tables({"type": "StaffRegistered", "actor_id": "A"})["registry"]) == {("staff",)}


def test_the_age_of_majority_is_eighteen_unless_a_country_says_otherwise() -> None:
    countries = tables({"type": "MajorityAgeSet", "country": "TH", "age_years": 20})["country"]
    assert (countries["TH",]["majority"], countries["NL",]["majority"]) == (20, 18)
