"""Statements of one registry id that do not say the same are told apart from those that do."""

from __future__ import annotations

import json

from inzage.schemas.codec import current
from inzage.schemas.statement import registered, statement
from inzage.sinks.verification.schema_statements import contradictions

LOG, OTHER = "inzage/all/c/t/0", "inzage/all/c/u/0"
ACTIVITY, FACT = current("activity").text, current("fact").text


def _said(identifier: int, text: str) -> bytes:
    return statement(registered(identifier, text))


def test_another_text_for_an_id_is_named_with_both_places_and_fingerprints() -> None:
    said = [
        (LOG, 3, _said(7, ACTIVITY)),
        (OTHER, 0, _said(8, FACT)),
        (LOG, 4, _said(7, FACT)),
        (OTHER, 9, _said(7, FACT)),
    ]
    first, second = contradictions(said)
    assert (first.log, first.first, first.last, first.code) == (LOG, 4, 4, "schema.contradicted")
    for told in ("registry id 7", "index 3", current("activity").fingerprint, current("fact").fingerprint):
        assert told in first.what
    assert (second.log, second.first) == (OTHER, 9)
    assert f"{LOG}, index 3" in second.what


def test_what_no_fingerprint_shows_is_shown_by_the_text() -> None:
    """Avro's canonical form drops logical types: one fingerprint, and another time for each event."""
    millis = ACTIVITY.replace("timestamp-micros", "timestamp-millis")
    one, other = registered(7, ACTIVITY), registered(7, millis)
    assert one.fingerprint == other.fingerprint
    [found] = contradictions([(LOG, 0, statement(one)), (LOG, 1, statement(other))])
    assert one.sha256 in found.what
    assert other.sha256 in found.what


def test_the_same_said_again_and_what_no_registry_named_contradict_nothing() -> None:
    again = json.dumps(json.loads(ACTIVITY), indent=3)
    own = [statement(current(name)) for name in ("activity", "fact")]
    said = [_said(7, ACTIVITY), _said(7, again), _said(8, FACT), *own, *own, b"{}", b"no statement"]
    assert not list(contradictions((LOG, index, value) for index, value in enumerate(said)))
