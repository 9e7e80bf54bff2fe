"""What is written can be read back: every record of the contract, as Avro and as JSON."""

from __future__ import annotations

import json
from typing import get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inzage.schemas.codec import RecordName, decode, encode
from inzage.schemas.json_face import SaidKind, read, write
from tests.records import records

LEAN = settings(max_examples=20, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.parametrize("name", get_args(RecordName))
@LEAN
@given(data=st.data())
def test_what_is_encoded_is_decoded(name: RecordName, data: st.DataObject) -> None:
    record = data.draw(records(name))
    schema, found = decode(encode(name, record))
    assert schema.name == name
    assert found == record


@pytest.mark.parametrize("kind", get_args(SaidKind))
@LEAN
@given(data=st.data())
def test_what_is_written_as_json_is_read_back(kind: SaidKind, data: st.DataObject) -> None:
    record = data.draw(records(kind, empty_lists_or_null=False))
    said = read(json.loads(json.dumps(write(kind, record))))
    assert said.kind == kind
    assert said.record == record


def test_a_consent_that_covers_no_recipient_covers_none_after_json() -> None:
    fact = {
        "type": "ConsentGiven",
        "fact_id": "F-1",
        "recorded_at": "2026-03-10T12:00:00Z",
        "controller_id": "CIGNA",
        "subject": "P-1",
        "scope": {"recipient_org_ids": []},
    }
    said = read({"fact": fact})
    assert read(write("fact", said.record)).record == said.record
