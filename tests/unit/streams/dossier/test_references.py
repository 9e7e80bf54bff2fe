"""References say what was known at an instant: ends in any order, certifications, adequacy, memberships, settings."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from inzage.schemas.json_face import read
from inzage.streams.dossier.law import law, scope_code
from inzage.streams.dossier.references import References
from inzage.streams.dossier.time import FAR, LONG_AGO

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
DAY = timedelta(days=1)
DEFAULTS: dict[str, float | list[str]] = {
    "assessment_max_days": 365.0,
    "smallest_cell": 10.0,
    "processor_categories": ["X"],
}


def references(*facts: dict[str, Any], known_at: datetime = NOW) -> References:
    made = References("CIGNA", law(), DEFAULTS)
    for number, fact in enumerate(facts):
        said = {"fact_id": f"F-{number}", "recorded_at": known_at, "controller_id": "CIGNA", **fact}
        made.take(said["recorded_at"], read({"fact": said}).record)
    return made


def org(made: References, org_id: str = "ORG-1", at: datetime = NOW) -> dict[str, Any]:
    return made.tables(at)["org"][(org_id,)]


AGREEMENT = {
    "type": "AgreementSigned",
    "agreement_ref": "DPA-1",
    "agreement_type": "DPA_ART28",
    "party_org_id": "ORG-1",
    "signed_by_both": True,
    "valid_from": NOW - 9 * DAY,
}
ENDED = {"type": "AgreementEnded", "agreement_ref": "DPA-1", "ended_at": NOW - DAY}


def test_an_agreement_ends_in_either_order_of_arrival() -> None:
    for order in ((AGREEMENT, ENDED), (ENDED, AGREEMENT)):
        (agreement,) = org(references(*order))["agreements"]
        assert (agreement["from"], agreement["to"]) == (NOW - 9 * DAY, NOW - DAY)


def test_an_end_without_a_time_counts_from_when_it_was_recorded() -> None:
    (agreement,) = org(references(AGREEMENT, {**ENDED, "ended_at": None}))["agreements"]
    assert agreement["to"] == NOW


def test_an_agreement_signed_again_after_its_end_is_in_force() -> None:
    (agreement,) = org(references(AGREEMENT, ENDED, {**AGREEMENT, "valid_from": NOW}))["agreements"]
    assert (agreement["from"], agreement["to"]) == (NOW, FAR)


@pytest.mark.parametrize("kind", [("DpfCertification", "dpf"), ("PrivacyShieldCertification", "shield")])
def test_a_new_certification_does_not_hide_an_earlier_one(kind: tuple[str, str]) -> None:
    name, family = kind
    first = {"type": name, "org_id": "ORG-1", "status": "ACTIVE", "valid_from": NOW - 9 * DAY}
    ended = {"type": name, "org_id": "ORG-1", "status": "INACTIVE", "valid_from": NOW - 5 * DAY}
    again = {**first, "valid_from": NOW - DAY}
    intervals = [(row["from"], row["to"]) for row in org(references(first, ended, again))[family]]
    assert intervals == [(NOW - 9 * DAY, NOW - 5 * DAY), (NOW - DAY, FAR)]


def test_an_inactive_certification_closes_all_that_is_open() -> None:
    active = {"type": "DpfCertification", "org_id": "ORG-1", "status": "ACTIVE"}
    ended = {"type": "DpfCertificationEnded", "org_id": "ORG-1", "valid_to": NOW}
    made = references({**active, "valid_from": NOW - 9 * DAY}, {**active, "valid_from": NOW - DAY}, ended)
    assert {row["to"] for row in org(made)["dpf"]} == {NOW}


def adequacy(made: References, country: str, t: datetime) -> list[str]:
    rows = made.tables(NOW)["country"][(country,)]["adequacy"]
    return [row["scope"] for row in rows if row["from"] <= t < row["to"]]


def test_an_adequacy_decision_ends_and_begins_by_facts() -> None:
    ended = {"type": "AdequacyDecisionEnded", "country": "US", "decision_ref": "2023/1795", "valid_to": NOW}
    begun = {
        "type": "AdequacyDecisionRegistered",
        "country": "KE",
        "decision_ref": "(EU) 2026/1",
        "valid_from": NOW,
        "scope_predicate": "recipient.dpf_status == ACTIVE",
    }
    made = references(ended, begun)
    assert adequacy(made, "US", NOW - timedelta(microseconds=1)) == ["DPF"] and adequacy(made, "US", NOW) == []
    assert adequacy(made, "KE", NOW - timedelta(microseconds=1)) == [] and adequacy(made, "KE", NOW) == ["DPF"]


def test_the_united_kingdom_passes_from_member_to_bridge_to_decision() -> None:
    row = references().tables(NOW)["country"][("GB",)]
    assert row["in_eu_until"] == datetime(2020, 1, 31, 23, tzinfo=UTC)
    assert row["in_eea_until"] == datetime(2020, 12, 31, 23, tzinfo=UTC)
    before = datetime(2021, 6, 27, 21, 59, 59, tzinfo=UTC)
    assert adequacy(references(), "GB", before) == [""]
    assert adequacy(references(), "GB", datetime(2021, 6, 27, 22, tzinfo=UTC)) == ["NOT_UK_IMMIGRATION"]


def test_codes_that_eu_texts_use_are_no_countries() -> None:
    countries = references().tables(NOW)["country"]
    assert ("EL",) not in countries and ("UK",) not in countries
    assert countries[("GR",)]["in_eu_until"] == FAR and countries[("NO",)]["in_eu_until"] == LONG_AGO
    assert countries[("NO",)]["in_eea_until"] == FAR


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (None, ""),
        ("recipient.pipeda == true", "PIPEDA"),
        ("recipient.dpf_status == ACTIVE at t", "DPF"),
        ("recipient.appi == true and recipient.public_body == false", "APPI"),
        ("purpose != UK_IMMIGRATION", "NOT_UK_IMMIGRATION"),
        ("only on Sundays", "UNKNOWN"),
    ],
)
def test_words_nobody_knows_make_a_scope_unknown_never_full(words: str | None, code: str) -> None:
    assert scope_code(words) == code


def test_settings_of_the_tenant_replace_those_of_the_pack() -> None:
    number = {"type": "TenantSetting", "key": "SMALLEST-CELL", "value": "5 persons"}
    names = {"type": "TenantSetting", "key": "processor_categories", "value": "[IT_PROVIDER, TRANSLATOR]"}
    stranger = {"type": "TenantSetting", "key": "nobody_asks", "value": "1"}
    of_others = {"type": "TenantSetting", "key": "smallest_cell", "value": "99", "controller_id": "HMBS"}
    setting = references(number, names, stranger, of_others).tables(NOW)["setting"]
    assert setting[("smallest_cell",)]["value"] == 5.0
    assert setting[("processor_categories",)]["list"] == ["IT_PROVIDER", "TRANSLATOR"]
    assert ("nobody_asks",) not in setting


def test_what_becomes_known_later_is_not_seen_before_and_cuts_there() -> None:
    made = references(AGREEMENT, {**ENDED, "recorded_at": NOW + DAY})
    assert org(made, at=NOW)["agreements"][0]["to"] == FAR
    assert org(made, at=NOW + DAY)["agreements"][0]["to"] == NOW - DAY
    assert made.changes_between(NOW, NOW + DAY) == [NOW + DAY]
    assert made.changes_between(NOW - DAY, NOW) == [NOW] and made.changes_between(NOW, NOW) == []


def test_an_own_organisation_is_own_for_its_controller_only() -> None:
    own = {"type": "OrganisationRegistered", "org_id": "ORG-1", "own_organisation": True}
    assert org(references(own))["own"] is True
    assert org(references({**own, "controller_id": "LAW"}))["own"] is False
