"""An AuditEvent becomes the event it is; what it does not say stays unknown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from inzage.schemas.emitter.persons import Pseudonym
from inzage.schemas.emitter.reader import Reader
from inzage.schemas.emitter.vault import SqlVault
from inzage.schemas.errors import ContractError
from inzage.schemas.fhir.activity import events_of
from inzage.schemas.fhir.mapping import FhirMapping

DATA = Path(__file__).parents[3] / "data"
PLAIN = FhirMapping(controller_id="CIGNA")


def resource(release: str, number: int) -> dict[str, Any]:
    line = (DATA / f"auditevents-{release}.ndjson").read_text().splitlines()[number]
    found: dict[str, Any] = json.loads(line)
    return found


def only(release: str, number: int, mapping: FhirMapping = PLAIN) -> dict[str, Any]:
    (event,) = events_of(resource(release, number), mapping, "ehr")
    return event


def test_a_read_is_an_access_by_a_human_to_a_report_for_treatment() -> None:
    event = only("r4", 0)
    assert (event["event_type"], event["action"], event["outcome"]) == ("AccessEvent", "READ", "SUCCESS")
    assert event["actor"] == {
        "id": "ehr/Anna Peeters",
        "type": "HUMAN",
        "role": "nurse",
        "org_id": "Organization/ward-3",
    }
    assert event["subject"] == {"pseudonym": "ehr/Patient/p1", "relation": "PATIENT"}
    assert event["purpose"] == "TREATMENT"
    assert event["data_categories"] == ["MEDICAL_REPORT", "HEALTH_PHYSICAL"]
    assert event["record"] == {"record_id": "Observation/o1"}
    assert event["trace_id"] == "req-77"
    assert "recipient" not in event and "legal_basis" not in event


def test_a_disclosure_has_a_recipient_even_when_nobody_knows_who() -> None:
    event = only("r4", 1)
    assert (event["event_type"], event["action"]) == ("DisclosureEvent", "DISCLOSE")
    assert event["recipient"] == {"org_id": None}
    assert event["purpose"] == "RIGHTS_REQUEST"
    assert event["data_categories"] == ["MEDICAL_REPORT"]


def test_a_refused_authorisation_is_denied_and_break_glass_shows() -> None:
    event = only("r4", 2)
    assert (event["event_type"], event["action"], event["outcome"]) == ("AccessEvent", "REQUEST", "DENIED")
    assert event["break_glass"] is True and event["consent_ref"] == "Consent/c1"
    assert event["actor"]["id"] == "https://sts.example.org|90011234567"


def test_one_where_a_list_belongs_is_read_and_a_local_purpose_is_kept_in_words() -> None:
    event = only("r4", 3)
    assert event["actor"]["id"] == "ehr/90011234567" and event["actor"]["type"] == "HUMAN"
    said = Reader("CIGNA", "ehr", SqlVault.passing()).read({"event": event}, pseudonymised=False, strict=False)
    assert said.record["purpose"] == "OTHER"
    assert said.record["unrecognised"] == {"purpose": "LOCALPURPOSE"}


def test_two_patients_are_two_events_of_one_batch() -> None:
    events = events_of(resource("r4", 4), PLAIN, "ehr")
    assert [event["subject"]["pseudonym"] for event in events] == ["ehr/Patient/p1", "ehr/Patient/p2"]
    assert events[0]["batch_ref"] == events[1]["batch_ref"]
    assert events[0]["event_id"] != events[1]["event_id"]
    assert {event["outcome"] for event in events} == {"FAILED"}


def test_an_almost_empty_resource_is_an_event_of_its_own_about_nobody_known() -> None:
    event = only("r4", 5)
    assert isinstance(event["subject"]["pseudonym"], Pseudonym) and "relation" not in event["subject"]
    assert event == only("r4", 5)
    assert event["subject"] != only("r5", 0)["subject"]
    assert not {"actor", "purpose", "outcome", "recipient", "data_categories"} & set(event)


def test_the_future_is_an_event_and_keeps_when_it_was_recorded() -> None:
    event = only("r5", 0)
    assert event["occurred_at"].year == 2032 and event["recorded_at"].year == 2026
    assert event["case_ref"] == "Encounter/3"
    assert event["actor"]["id"] == "ehr/Practitioner/4" and event["actor"]["type"] == "HUMAN"


def test_r5_says_outcome_patient_period_and_authorisation_in_its_own_way() -> None:
    event = only("r5", 1)
    assert (event["event_type"], event["action"], event["outcome"]) == ("ProcessingEvent", "UPDATE", "SUCCESS")
    assert event["subject"]["pseudonym"] == "ehr/Patient/p9"
    assert event["purpose"] == "PAYMENT" and event["data_categories"] == ["CLAIM"]
    assert event["ended_at"] > event["occurred_at"]
    assert event["actor"]["type"] == "DEVICE"


def test_a_date_without_a_time_is_no_time() -> None:
    with pytest.raises(ContractError) as caught:
        only("r5", 2)
    assert caught.value.code == "contract.fhir-no-time"


def test_another_resource_is_refused_without_repeating_it() -> None:
    with pytest.raises(ContractError) as caught:
        only("r5", 3)
    assert caught.value.code == "contract.fhir-resource-type" and "Peeters" not in caught.value.diagnostics()


def test_ids_depend_on_source_resource_and_version_alone() -> None:
    again = {**resource("r4", 0), "outcome": "4"}
    first = only("r4", 0)["event_id"]
    assert events_of(again, PLAIN, "ehr")[0]["event_id"] == first
    assert events_of(again, PLAIN, "other")[0]["event_id"] != first
    again["meta"] = {"versionId": "2"}
    assert events_of(again, PLAIN, "ehr")[0]["event_id"] != first


def test_resources_without_id_differ_by_content() -> None:
    one = {"resourceType": "AuditEvent", "recorded": "2026-02-03T13:00:00Z"}
    other = {**one, "recorded": "2026-02-03T13:00:01Z"}
    ids = {events_of(found, PLAIN, "ehr")[0]["event_id"] for found in (one, dict(one), other)}
    assert len(ids) == 2


@pytest.mark.parametrize("odd", [None, 7, "text", [], [None, 7], {"coding": "text"}, {"reference": 7}, [[{}]]])
@pytest.mark.parametrize(
    "element", ["meta", "type", "subtype", "agent", "entity", "patient", "outcome", "period", "action"]
)
def test_no_shape_of_an_element_stops_the_import(element: str, odd: Any) -> None:
    found = {**resource("r4", 0), element: odd}
    for event in events_of(found, PLAIN, "ehr"):
        Reader("CIGNA", "ehr", SqlVault.passing()).read({"event": event}, pseudonymised=False, strict=False)
