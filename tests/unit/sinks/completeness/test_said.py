"""Who said it and as which number stands in the headers, wherever among them."""

from __future__ import annotations

from dataclasses import dataclass, field

from inzage.schemas.emitter.message import Headers, message_of
from inzage.schemas.emitter.reader import Reader
from inzage.schemas.emitter.vault import AlreadyPseudonyms
from inzage.sinks.completeness.said import numbers_of, said_of

SAID = {"event_type": "AccessEvent", "occurred_at": "2026-03-10T12:00:00Z", "subject": {"pseudonym": "P-1"}}


@dataclass
class Record:
    headers: Headers = field(default_factory=list)


def emitted(number: int | None, instance: str = "i-1") -> Record:
    line = {**SAID, "source_instance": instance, "source_sequence": number}
    return Record(message_of(Reader("CIGNA", "claims", AlreadyPseudonyms()).read(line, pseudonymised=True)).headers)


def test_the_emitters_headers_are_read_by_their_places() -> None:
    """If the emitter wrote them otherwise, this would still be right, and slow."""
    records = [emitted(number, instance) for number, instance in ((3, "i-1"), (4, "i-1"), (1, "i-2"))]
    numbers, rest = numbers_of(records)
    assert (numbers, rest) == ({b"claims/i-1": [3, 4], b"claims/i-2": [1]}, [])
    assert [name for name, _ in records[0].headers][3::2] == ["ce_source", "ce_sequence"]


def test_other_orders_and_more_headers_are_read_by_name() -> None:
    records = [Record(emitted(7).headers[::-1]), Record([*emitted(8).headers, ("traceparent", b"00")])]
    assert numbers_of(records) == ({b"claims/i-1": [7, 8]}, [])


def test_what_has_no_number_is_handed_back() -> None:
    plain = [emitted(None), Record(), Record([("ce_sequence", b"5")])]
    assert numbers_of(plain) == ({}, plain)


def test_what_is_no_number_is_left_out_and_the_rest_counts() -> None:
    """Nobody who writes a header can stop the reader or make it hold a number that no field takes."""
    headers = emitted(5).headers
    wrong = [Record([*headers[:5], ("ce_sequence", text)]) for text in (b"x", b"9" * 19, b"9" * 5000, b"-", b"")]
    numbers, _ = numbers_of([Record(headers), *wrong])
    assert numbers == {b"claims/i-1": [5]}
    numbers, _ = numbers_of([Record(headers), wrong[1]])
    assert numbers == {b"claims/i-1": [5]}
    assert all(said_of(record.headers) is None for record in wrong)


def test_what_was_put_back_from_a_dead_letter_was_numbered_before() -> None:
    assert said_of([*emitted(5).headers, ("inzage_replay_of", b"d")]) is None
