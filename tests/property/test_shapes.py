"""The fast way to encode an activity gives the bytes of the plain way."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inzage.schemas.codec import encode
from inzage.schemas.emitter import shapes
from inzage.schemas.errors import ContractError
from tests.records import records


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(record=records("activity"), absent=st.data())
def test_the_bytes_are_the_same_for_every_shape(record: dict[str, Any], absent: st.DataObject) -> None:
    optional = [name for name, value in record.items() if name not in REQUIRED and value is not None]
    left_out = absent.draw(st.sets(st.sampled_from(optional))) if optional else set()
    sparse = {name: _nothing(name, value) if name in left_out else value for name, value in record.items()}
    for found in (record, sparse):
        assert shapes.encode_activity(found) == encode("activity", found)


REQUIRED = {
    "event_id",
    "event_type",
    "schema_version",
    "occurred_at",
    "recorded_at",
    "controller_id",
    "source_system",
    "source_instance",
    "outcome",
    "action",
    "actor",
    "subject",
}


def _nothing(name: str, value: Any) -> Any:
    if name == "unrecognised":
        return {}
    return [] if isinstance(value, list) else None


@settings(max_examples=5)
@given(record=records("activity"))
def test_beyond_the_most_shapes_it_is_encoded_plainly(record: dict[str, Any]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shapes, "MOST_SHAPES", 0)
        assert shapes.encode_activity(record) == encode("activity", record)


@settings(max_examples=3)
@given(record=records("activity"))
def test_what_does_not_fit_is_refused(record: dict[str, Any]) -> None:
    with pytest.raises(ContractError):
        shapes.encode_activity({**record, "event_id": 7})
