"""Each message goes where it belongs, under the key that keeps its order."""

from __future__ import annotations

from typing import Any

import pytest

from inzage.schemas.codec import decode
from inzage.schemas.emitter.message import dead_letter_of, message_of
from inzage.schemas.emitter.reader import Reader
from inzage.schemas.emitter.vault import AlreadyPseudonyms
from inzage.schemas.errors import ContractError
from inzage.schemas.json_face import Said
from inzage.schemas.topics import MAX_MESSAGE_BYTES

EVENT = {"event_type": "AccessEvent", "occurred_at": "2026-03-10T12:00:00Z", "subject": {"pseudonym": "P-1"}}
CONSENT = {"type": "ConsentGiven", "recorded_at": "2026-03-10T12:00:00Z", "subject": "P-1"}
AGREEMENT = {"type": "AgreementSigned", "recorded_at": "2026-03-10T12:00:00Z"}


def said(line: dict[str, Any]) -> Said:
    return Reader("CIGNA", "claims", AlreadyPseudonyms()).read(line, pseudonymised=True)


def test_what_is_about_a_person_is_keyed_by_the_person() -> None:
    for line in (EVENT, CONSENT):
        message = message_of(said(line))
        assert (message.topic, message.key) == ("inzage.cigna.events.v1", b"P-1")


def test_a_reference_is_keyed_by_the_fact() -> None:
    message = message_of(said({**AGREEMENT, "fact_id": "F-1"}))
    assert (message.topic, message.key) == ("inzage.cigna.references.v1", b"F-1")


def test_law_has_a_topic_of_its_own() -> None:
    assert message_of(said({**AGREEMENT, "controller_id": "LAW"})).topic == "inzage.law.references.v1"


def test_headers_are_those_of_cloudevents() -> None:
    headers = dict(message_of(said({**EVENT, "event_id": "E-1"})).headers)
    assert headers["ce_id"] == b"E-1" and headers["ce_specversion"] == b"1.0"
    assert headers["ce_type"] == b"inzage.v1.AccessEvent"
    assert headers["ce_time"] == b"2026-03-10T12:00:00+00:00"
    assert headers["ce_source"].startswith(b"claims/")
    assert dict(message_of(said(CONSENT)).headers)["ce_type"] == b"inzage.v1.ConsentGiven"
    assert "ce_sequence" not in headers
    numbered = dict(message_of(said({**EVENT, "source_instance": "i-1", "source_sequence": 41})).headers)
    assert (numbered["ce_source"], numbered["ce_sequence"]) == (b"claims/i-1", b"41")


@pytest.mark.parametrize("controller", ["LAW", "a/b", "", "c d"])
def test_a_controller_that_cannot_have_a_topic_is_refused(controller: str) -> None:
    read = said(EVENT)
    read.record["controller_id"] = controller
    with pytest.raises(ContractError, match="controller_id"):
        message_of(read)


def test_what_is_too_large_is_refused_with_its_size() -> None:
    with pytest.raises(ContractError, match=r"\d{7} bytes, more than"):
        message_of(said({**EVENT, "attachments": ["x" * MAX_MESSAGE_BYTES]}))


def test_a_dead_letter_is_the_same_when_the_file_is_read_again_and_keeps_the_bytes() -> None:
    error = ContractError("not JSON", code="contract.not-json")
    identifier, message = dead_letter_of("CIGNA", "claims", b"{\xff", error, 7)
    assert dead_letter_of("CIGNA", "claims", b"{\xff", error, 7)[0] == identifier
    _, record = decode(message.value)
    assert (record["value"], record["offset"], record["stage"]) == (b"{\xff", 7, "emitter")
    assert (record["reason"], record["dead_letter_id"]) == ("contract.not-json", identifier)


def test_a_dead_letter_too_large_for_a_topic_keeps_its_reason() -> None:
    error = ContractError("not JSON", code="contract.not-json")
    _, message = dead_letter_of("CIGNA", "claims", b"x" * (MAX_MESSAGE_BYTES + 1), error, 1)
    assert message.size < 1000 and decode(message.value)[1]["value"] is None
