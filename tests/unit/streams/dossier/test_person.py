"""A dossier says what was known and when: order of arrival, corrections, restatements, boundary instants."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inzage.schemas.codec import encode
from inzage.schemas.errors import ContractError
from inzage.schemas.json_face import read
from inzage.streams.dossier.kinds import FAMILIES
from inzage.streams.dossier.person import rows_of
from inzage.streams.dossier.time import FAR
from inzage.streams.dossier.versions import PersonDossier
from tests.differential.generator import Generator

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)


def fact(kind: str, fact_id: str, **fields: Any) -> dict[str, Any]:
    envelope = {"recorded_at": NOW, "controller_id": "CIGNA", "subject": "SUB-1"}
    record = read({"fact": {"type": kind, "fact_id": fact_id, **envelope, **fields}}).record
    return record


def given_at(at: datetime = NOW, fact_id: str = "given", **fields: Any) -> dict[str, Any]:
    return fact("ConsentGiven", fact_id, consent_ref="C-1", given_at=at, **fields)


def withdrawn_at(at: datetime | None, fact_id: str = "withdrawn", **fields: Any) -> dict[str, Any]:
    return fact("ConsentWithdrawn", fact_id, consent_ref="C-1", withdrawn_at=at, **fields)


def the_consent(*facts: dict[str, Any]) -> dict[str, Any]:
    (consent,) = rows_of(facts)["consents"]
    return consent


def test_a_withdrawal_counts_in_either_order_of_arrival() -> None:
    in_order = the_consent(given_at(), withdrawn_at(NOW + HOUR))
    reverse = the_consent(withdrawn_at(NOW + HOUR), given_at())
    assert in_order["withdrawn_at"] == reverse["withdrawn_at"] == NOW + HOUR
    assert sorted(in_order["fact_ids"]) == sorted(reverse["fact_ids"]) == ["given", "withdrawn"]


def test_a_withdrawal_of_an_earlier_consent_does_not_end_a_new_one() -> None:
    again = given_at(NOW + 2 * HOUR, "again")
    assert the_consent(given_at(), withdrawn_at(NOW + HOUR), again)["withdrawn_at"] == FAR


def test_a_restated_consent_stays_withdrawn() -> None:
    restated = given_at(NOW, "restated", explicit=True)
    consent = the_consent(given_at(), withdrawn_at(NOW + HOUR), restated)
    assert (consent["withdrawn_at"], consent["explicit"]) == (NOW + HOUR, True)


def test_a_withdrawal_without_a_time_counts_from_when_it_was_recorded() -> None:
    assert the_consent(given_at(NOW - HOUR), withdrawn_at(None))["withdrawn_at"] == NOW


def test_a_consent_without_a_time_is_never_given() -> None:
    assert the_consent(fact("ConsentGiven", "given", consent_ref="C-1"))["given_at"] == FAR


def test_a_correction_takes_the_place_of_what_it_corrects() -> None:
    corrected = withdrawn_at(NOW + 3 * HOUR, "better", corrects="withdrawn")
    assert the_consent(given_at(), withdrawn_at(NOW + HOUR), corrected)["withdrawn_at"] == NOW + 3 * HOUR


def test_an_emergency_may_be_closed_before_it_is_known_to_be_open() -> None:
    opened = fact("EmergencyOpened", "o", emergency_ref="E-1", opened_at=NOW)
    closed = fact("EmergencyClosed", "c", emergency_ref="E-1", closed_at=NOW + HOUR)
    for order in ((opened, closed), (closed, opened)):
        (row,) = rows_of(order)["emergencies"]
        assert (row["opened_at"], row["closed_at"]) == (NOW, NOW + HOUR)


@pytest.mark.parametrize(
    ("born", "rightful"),
    [(date(2008, 3, 2), False), (date(2008, 3, 3), True), (date(1990, 1, 1), False), (None, True)],
)
def test_a_parent_may_consent_until_majority(born: date | None, rightful: bool) -> None:
    mandate = fact(
        "MandateGranted",
        "m",
        mandate_ref="M-1",
        mandate_type="PARENTAL",
        representative="PARENT",
        valid_from=NOW - HOUR,
    )
    person = fact("SubjectRegistered", "s", birth_date=born)
    assert the_consent(person, mandate, given_at(given_by="PARENT"))["rightful"] is rightful
    assert the_consent(person, given_at(given_by="PARENT"))["rightful"] is False, "no mandate"


@pytest.mark.parametrize(
    ("at", "rightful"), [(NOW, True), (NOW + HOUR, False), (NOW - timedelta(microseconds=1), False)]
)
def test_a_mandate_holds_from_its_start_to_before_its_end(at: datetime, rightful: bool) -> None:
    mandate = fact(
        "MandateGranted", "m", mandate_ref="M-1", representative="AGENT", valid_from=NOW, valid_to=NOW + HOUR
    )
    assert the_consent(mandate, given_at(at, given_by="AGENT"))["rightful"] is rightful


def test_what_would_end_before_it_began_is_refused_and_changes_nothing() -> None:
    dossier = PersonDossier("SUB-1")
    dossier.take(1, b"1", given_at())
    with pytest.raises(ContractError, match="before it began"):
        dossier.take(2, b"2", withdrawn_at(NOW - HOUR))
    assert dossier.known_before("consents", 9)[0]["withdrawn_at"] == FAR
    assert not dossier.take(1, b"1", given_at()), "said already"


def test_a_fact_is_seen_by_what_comes_after_it_and_by_itself() -> None:
    dossier = PersonDossier("SUB-1")
    dossier.take(5, b"5", given_at())
    dossier.take(8, b"8", withdrawn_at(NOW + HOUR))
    assert not dossier.known_before("consents", 5) and dossier.known_before("consents", 6)
    assert [row["withdrawn_at"] for row in dossier.known_before("consents", 8)] == [FAR]
    assert [row["withdrawn_at"] for row in dossier.known_before("consents", 9)] == [NOW + HOUR]


def test_how_far_back_a_fact_reaches() -> None:
    """A withdrawal that is learnt late reaches back to when it was withdrawn, a consent to when it was given."""
    dossier = PersonDossier("SUB-1")
    dossier.take(5, b"5", given_at())
    assert dossier.reaches_back_to(5) == NOW
    dossier.take(8, b"8", withdrawn_at(NOW + HOUR))
    assert dossier.reaches_back_to(8) == NOW + HOUR
    assert dossier.reaches_back_to(7) is None


@given(seed=st.integers(0, 10_000), count=st.integers(1, 25))
@settings(max_examples=60)
def test_versions_known_at_an_offset_are_the_fold_of_the_facts_before_it(seed: int, count: int) -> None:
    of, random = Generator(seed, "CIGNA"), Random(seed)
    dossier = PersonDossier("SUB-1")
    taken: list[tuple[int, dict[str, Any]]] = []
    offset = 0
    for _ in range(count):
        offset += random.randint(1, 3)
        said = {**of.person_fact(), "subject": "SUB-1", "recorded_at": NOW}
        record = read({"fact": said}).record
        try:
            if dossier.take(offset, encode("fact", record), record):
                taken.append((offset, record))
        except ContractError:
            continue
    for at in range(offset + 2):
        expected = rows_of(record for place, record in taken if place < at)
        for family in FAMILIES:
            found = [
                {name: value for name, value in row.items() if not name.startswith("known_")}
                for row in dossier.known_before(family, at)
            ]
            assert sorted(map(repr, found)) == sorted(map(repr, expected[family])), (family, at)
