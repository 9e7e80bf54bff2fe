"""The mapping file says what FHIR cannot, and is checked before anything is imported."""

from __future__ import annotations

from pathlib import Path

import pytest

from inzage.schemas.errors import ConfigError
from inzage.schemas.fhir.activity import events_of
from inzage.schemas.fhir.mapping import read_mapping

EXAMPLE = Path(__file__).parents[4] / "docs" / "guide" / "fhir-mapping.yaml"

DISCLOSURE = {
    "resourceType": "AuditEvent",
    "id": "1",
    "recorded": "2026-02-03T13:00:00Z",
    "subtype": [{"code": "disclose"}],
    "purposeOfEvent": [{"coding": [{"code": "PATRQT"}]}],
    "agent": [{"type": {"coding": [{"code": "110152"}]}, "who": {"display": "myMachine.example.org"}}],
}


def mapping_file(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "mapping.yaml"
    path.write_text(text)
    return path


def test_the_example_gives_basis_recipient_and_instrument() -> None:
    (event,) = events_of(DISCLOSURE, read_mapping(EXAMPLE), "ehr")
    assert event["controller_id"] == "CIGNA" and event["legal_basis"] == "LEGAL_OBLIGATION"
    assert event["recipient"]["org_id"] == "ORG-LAB-BOSTON"
    assert event["transfer"]["instrument"] == "SCC_COMMISSION"
    assert event["channel"] == "INTERNAL_APP"


def test_rules_set_and_defaults_only_fill(tmp_path: Path) -> None:
    text = """
controller_id: CIGNA
defaults: {purpose: PAYMENT, legal_basis: CONSENT}
rules:
  - when: {event_type: DisclosureEvent}
    set: {legal_basis: LEGAL_OBLIGATION}
  - when: {event_type: DisclosureEvent, code: elsewhere}
    set: {legal_basis: VITAL_INTERESTS}
"""
    (event,) = events_of(DISCLOSURE, read_mapping(mapping_file(tmp_path, text)), "ehr")
    assert event["purpose"] == "RIGHTS_REQUEST"
    assert event["legal_basis"] == "LEGAL_OBLIGATION"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("defaults: {legal_basis: CONSNT}", "did you mean CONSENT"),
        ("defaults: {legal_bases: CONSENT}", "did you mean legal_basis"),
        ("rules: [{when: {event_type: AccessEvent}, set: {purpose: NOSUCH}}]", "rules.0.set"),
        ("rules: [{when: {evnt: AccessEvent}, set: {}}]", "rules.0.when.evnt"),
        ("recipients: {x: {recipient: {country: FR}}}", "recipients.x"),
        ("purposes: {LOCAL: NOSUCH}", "purposes.LOCAL"),
        ("unknown: 1", "unknown"),
        ("[", "YAML"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, named: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_mapping(mapping_file(tmp_path, text))
    assert named in caught.value.diagnostics()
