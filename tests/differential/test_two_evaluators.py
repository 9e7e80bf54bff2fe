"""ClickHouse and the closures without it judge every row alike, to the byte of what verdicts are made of.

Those run here on a bounded number; `python -m tests.differential.twice` does the same for as long as one likes.
"""

from __future__ import annotations

import json
from random import Random

import pytest

from inzage.schemas.codec import Schema, current, encode_datum, schema_of
from inzage.schemas.json_face import read
from inzage.streams.dossier.law import law
from inzage.streams.dossier.references import References
from inzage.streams.screening.engine import Controller, engine
from inzage.streams.screening.event_bytes import event_reader
from inzage.streams.screening.pack import policies_of
from inzage.streams.screening.row import Row
from tests.differential import probe, wild
from tests.differential.both import Both

CONTROLLERS = ["CIGNA", "HMBS"]


@pytest.mark.parametrize("controller_id", CONTROLLERS)
def test_events_that_nobody_would_say_are_judged_alike(controller_id: str) -> None:
    """Fields removed, UNKNOWN, swapped, at boundary instants; other horizons and clocks; facts as other facts."""
    random, both = Random(41), Both()
    for said in (wild.of_examples(controller_id, 120), wild.of_stream(controller_id, 42, 400)):
        both.judge(engine(), said.controller, current("activity"), said.made(random, 1_500))
        assert not both.report()
    assert not both.declined
    assert both.hits > 1_000 and len(both.found) > 100


@pytest.mark.parametrize("controller_id", CONTROLLERS)
def test_what_is_left_out_changes_nothing(controller_id: str) -> None:
    """Any columns may be neither decoded nor named, and rows that say nothing there are judged to be the same.

    A row is usual only if it says nothing there; not all that do are: not when an instant is from before 1979.
    """
    random, said = Random(45), wild.of_stream(controller_id, 46, 400)
    schema, batch, rows = current("activity"), said.controller.batch, said.made(Random(47), 1_500)
    readable, _ = batch._readable(schema, rows)
    whole = batch._computed.judge(readable)
    assert whole is not None
    silent, decoding = batch._learnt._silent, batch._decoding
    assert decoding.decode(schema, readable, decoding.columns)
    asked = ", ".join(f"groupArray(toUInt8({sql}))" for sql in silent.values())
    found = engine()._embedded.query(f"SELECT {asked} FROM {decoding.table}", "JSONCompactEachRow")
    says_nothing = {
        name: {place for place, holds in enumerate(column) if holds}
        for name, column in zip(silent, json.loads(found), strict=True)
    }
    compared = 0
    for _ in range(4):
        unnamed, left = set[str](), set(range(len(readable)))
        for name in random.sample(sorted(silent), len(silent)):
            if len(left & says_nothing[name]) >= 60:
                unnamed, left = {*unnamed, name}, left & says_nothing[name]
        usual = batch._learnt.leaving_out(schema, frozenset(unnamed))
        assert decoding.decode(schema, readable, usual.decoded)
        judged = batch._computed.judge(readable, usual)
        assert judged is not None
        unusual = {(row.offset, row.horizon, row.now) for row in judged.unusual}
        taken = {place for place, row in enumerate(readable) if (row.offset, row.horizon, row.now) not in unusual}
        assert taken <= left and len(taken) > 0.7 * len(left)
        expected = [hit for hit in whole.hits if (hit.offset, hit.horizon, hit.now) not in unusual]
        assert judged.hits == expected
        compared += len(expected) if len(unnamed) > 10 else 0
    assert compared > 100


def test_expressions_are_worth_the_same_to_both() -> None:
    """Functions and operators on combinations of awkward arguments: some of all that there are."""
    random = Random(43)
    compiled, wrong = probe.differences(probe.some(random, 3_000), probe.table(random, 45))
    assert not wrong, "\n".join(wrong[:10])
    assert compiled > 800


@pytest.fixture(scope="module")
def small() -> Controller:
    """A controller with one entry, so that a batch of the engine is cheap, and references loaded."""
    policies = policies_of("CIGNA").only({"CIGNA-01", "CIGNA-02", "LAW-01", "INTAKE-01"})
    controller = engine().add(policies)
    references = References("CIGNA", law(), policies.settings)
    engine().load_tables(controller, references.tables(wild.EPOCH))
    return controller


def test_a_datum_with_text_in_no_encoding_is_dead_not_deadly(small: Controller) -> None:
    """It is found unreadable, and its neighbours are judged."""
    good, word = _datum(), policies_of("CIGNA").own.base_event["subject"]["pseudonym"].encode()
    bad = good.replace(word, word[:-1] + b"\xff")
    rows = [Row(place, 0, datum, "", place, 0) for place, datum in enumerate((good, bad, good))]
    hits, unreadable = engine().judge_at_once(small, current("activity"), rows)
    assert unreadable == [rows[1]] and [hit.offset for hit in hits] == [0, 2]
    assert engine().judge(small, current("activity"), rows) == (hits, unreadable)


def _judged(controller: Controller, datum: bytes, schema: Schema | None = None) -> Both:
    both = Both()
    both.judge(
        engine(),
        controller,
        schema or current("activity"),
        [Row(7, 1_780_000_000_000, datum, "", 7, 1_780_000_000_000)],
    )
    return both


def _datum() -> bytes:
    event = {**policies_of("CIGNA").own.base_event, "controller_id": "CIGNA", "recorded_at": wild.EPOCH}
    return encode_datum("activity", read({"event": event}).record)


def test_bytes_gone_wrong_are_read_by_both_or_left_to_the_engine(small: Controller) -> None:
    """Cut short, too long, one byte another: what is taken without the engine the engine reads too, and alike."""
    random, datum = Random(44), _datum()
    assert not _judged(small, datum).declined
    wrong = [datum[:-1], datum + b"\x00", b"", datum[1:], datum * 2]
    for _ in range(120):
        place, other = random.randrange(len(datum)), random.randrange(256)
        cut = random.choice([0, 1, 1, 2])
        wrong.append(datum[:place] + bytes([other] * random.choice([0, 1, 1])) + datum[place + cut :])
    taken = 0
    for changed in wrong:
        both = _judged(small, changed)
        assert not both.report(), changed
        taken += not both.declined
    assert 5 < taken < len(wrong) - 20


def test_a_datum_of_an_older_schema_says_nothing_of_what_came_later(small: Controller) -> None:
    """Fields that the writer did not know are absent, in a block as well as outside."""
    older = wild.older_schema(
        ("purpose", "data_categories", "recipient.category", "occurred_at", "transfer", "actor.role")
    )
    event = event_reader(current("activity"))
    assert event is not None
    both = _judged(small, wild.as_written_by(older, event(_datum())), older)
    assert not both.report() and not both.declined and both.hits


def test_a_schema_whose_fields_are_something_else_is_left_to_the_engine() -> None:
    changed = current("activity").text.replace('"name": "Recipient"', '"name": "Receiver"')
    assert changed != current("activity").text
    assert event_reader(schema_of("activity", changed)) is None
