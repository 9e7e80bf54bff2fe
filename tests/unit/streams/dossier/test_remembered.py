"""Some activities amount to facts: later events are judged by them, and the activity itself by what was before it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from inzage.schemas.codec import encode, encode_datum
from inzage.schemas.json_face import read
from inzage.streams.dossier.record_rows import kept_record
from inzage.streams.dossier.remembered import may_be_remembered, remembered
from inzage.streams.dossier.store import DossierStore, dossier_message

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)


def activity(
    event_type: str, event_id: str = "0197f7a0-0000-7000-8000-000000000001", **fields: Any
) -> dict[str, Any]:
    envelope = {"occurred_at": NOW, "controller_id": "HMBS", "source_system": "CLIENT-DB"}
    event = {"event_id": event_id, "event_type": event_type, "subject": {"pseudonym": "SUB-1"}, **envelope, **fields}
    return read({"event": event}).record


@pytest.mark.parametrize(
    ("event_type", "kind"),
    [
        ("RightsRequestReceived", "RightsRequestReceived"),
        ("ErasureRequested", "RightsRequestReceived"),
        ("RightsRequestFulfilled", "RightsRequestFulfilled"),
        ("DataErased", "DataErased"),
        ("RegisterEntryEvent", "RegisterEntryRecorded"),
        ("EnquiryRegistered", "EnquiryRegistered"),
        ("AccessEvent", None),
    ],
)
@pytest.mark.parametrize("event_id", ["e", "0197f7a0-0000-7000-8000-000000000001", "x" * 63])
def test_what_is_remembered_is_seen_without_decoding(event_type: str, kind: str | None, event_id: str) -> None:
    record = activity(event_type, event_id)
    fact = remembered(record)
    assert (fact["body"][0] if fact else None) == (kind and f"inzage.v1.{kind}")
    assert may_be_remembered(encode_datum("activity", record)) is (kind is not None)


def test_a_long_id_is_looked_into() -> None:
    assert may_be_remembered(encode_datum("activity", activity("DataErased", "x" * 64)))
    assert may_be_remembered(b"")


def test_a_refused_attempt_is_not_remembered() -> None:
    assert remembered(activity("DataErased", outcome="DENIED")) is None


def test_a_dossier_is_read_back_with_what_it_remembers() -> None:
    record = activity("DataErased", record={"record_id": "REC-1"})
    store = DossierStore()
    fact = remembered(record)
    assert fact is not None
    store.open("SUB-1").take(7, encode("activity", record), fact)
    fresh = DossierStore()
    fresh.keep(dossier_message(store.open("SUB-1")))
    dossier = fresh.get("SUB-1")
    assert dossier is not None
    assert [row["erased_at"] for row in dossier.known_before("erasures", 8)] == [NOW]
    assert dossier.known_before("erasures", 7) == []


def test_a_period_that_ends_on_a_day_ends_with_it() -> None:
    def until(text: str | None) -> datetime | None:
        body = {"record_id": "R", "data_category": None, "retention_rule_id": None, "state": None}
        return kept_record({**body, "retention_until": text})["until"]

    assert until("2026-03-29") == datetime(2026, 3, 29, 22, tzinfo=UTC), "clocks went forward that morning"
    assert until("2026-03-02T11:00:00+01:00") == NOW
    assert until("P5Y") is None and until("2026-03-02T11:00:00") is None and until(None) is None


def test_a_later_answer_ends_a_request_for_later_events_alone() -> None:
    store = DossierStore()
    asked = activity("RightsRequestReceived", "asked", request_ref="R-1", request_type="ACCESS")
    answered = activity("RightsRequestFulfilled", "answered", request_ref="R-1", occurred_at=NOW + timedelta(days=3))
    for offset, record in ((1, asked), (5, answered)):
        fact = remembered(record)
        assert fact is not None
        store.open("SUB-1").take(offset, encode("activity", record), fact)
    dossier = store.open("SUB-1")
    open_at = [
        [row["fulfilled_at"] == NOW + timedelta(days=3) for row in dossier.known_before("requests", at)]
        for at in (5, 6)
    ]
    assert open_at == [[False], [True]]
