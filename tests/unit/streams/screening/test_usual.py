"""Usual rows are judged without what none of them says, and what is found is the same."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from inzage.schemas.codec import current, encode_datum
from inzage.schemas.json_face import read
from inzage.streams.dossier.law import law
from inzage.streams.dossier.references import References
from inzage.streams.screening.batch import MOST_DIRECT, Batch
from inzage.streams.screening.computed import Computed
from inzage.streams.screening.engine import Controller, engine
from inzage.streams.screening.examples import merged
from inzage.streams.screening.pack import policies_of
from inzage.streams.screening.row import Hit, Row
from inzage.streams.screening.usual import LEARNT_FROM, Learnt, Usual, _seldom

AT = datetime(2026, 3, 2, 10, tzinfo=UTC)
ACTIVITY = current("activity")
ROWS = LEARNT_FROM + 500
Asked = list[tuple[int, frozenset[str] | None]]
ABROAD = {
    "recipient": {"org_id": "ORG-FAR", "establishment_country": "IN"},
    "transfer": {"destination_country": "IN", "instrument": "DEROGATION_CONTRACT", "instrument_ref": "CONTRACT-1"},
}


@pytest.fixture(scope="module")
def controller() -> Controller:
    """Few policies, so that analysing them is quick; LAW-04 asks about transfers."""
    policies = policies_of("HMBS")
    made = engine().add(policies.only({entry.id for entry in policies.entries if entry.id.startswith("LAW-")}))
    engine().load_tables(made, References("HMBS", law(), policies.settings).tables(AT))
    return made


@pytest.fixture
def asked(controller: Controller, monkeypatch: pytest.MonkeyPatch) -> Iterator[Asked]:
    """What the tables were asked: how many rows, and what was left out; nothing is known of them yet."""
    made: Asked = []
    judge = Computed.judge

    def noted(self: Computed, rows: list[Row], usual: Usual | None = None) -> Any:
        made.append((len(rows), usual.unnamed if usual else None))
        return judge(self, rows, usual)

    monkeypatch.setattr(Computed, "judge", noted)
    batch = controller.batch
    batch._learnt = Learnt(engine()._embedded, batch._decoding, controller.plan)
    yield made


def row(number: int, **change: Any) -> Row:
    base = policies_of("HMBS").own.base_event
    own = {"event_id": f"event-{number:06}", "controller_id": "HMBS", "recorded_at": AT}
    own["occurred_at"] = AT + timedelta(seconds=number)
    datum = encode_datum("activity", read({"event": merged({**base, **own}, change)}).record)
    now = int(AT.timestamp() * 1000) + number
    return Row(number, now, datum, "", number, now)


def rows(*abroad: int) -> list[Row]:
    return [row(number, **ABROAD) if number in abroad else row(number) for number in range(ROWS)]


def in_pieces(batch: Batch, said: list[Row]) -> list[Hit]:
    """Found in batches too small to learn from."""
    pieces = [said[first : first + LEARNT_FROM - 1] for first in range(0, len(said), LEARNT_FROM - 1)]
    return [hit for piece in pieces for hit in batch.judge(ACTIVITY, piece)[0]]


def test_few_unusual_rows_are_judged_one_by_one(controller: Controller, asked: Asked) -> None:
    said = rows(7, 4_001)
    expected = in_pieces(controller.batch, said)
    assert {hit.offset for hit in expected if hit.seen["instrument"]} == {7, 4_001}
    asked.clear()
    for _ in range(2):
        assert engine().judge(controller, ACTIVITY, said) == (expected, [])
    (first, nothing), (second, unnamed) = asked  # the first batch shows what is usual
    assert first == second == ROWS and nothing is None and unnamed is not None
    assert {"transfer.Transfer.instrument", "trace_id", "_of_few"} <= unnamed
    assert not {"purpose", "recipient.Recipient.org_id", "subject.pseudonym", "recorded_at"} & unnamed


def test_when_more_turn_out_unusual_less_is_left_out(controller: Controller, asked: Asked) -> None:
    engine().judge(controller, ACTIVITY, rows())
    said = rows(*range(0, ROWS, ROWS // (MOST_DIRECT + 50)))
    expected = in_pieces(controller.batch, said)
    asked.clear()
    assert engine().judge(controller, ACTIVITY, said) == (expected, [])
    (_, first), (unusual, nothing) = asked
    assert unusual == len(said[:: ROWS // (MOST_DIRECT + 50)]) and nothing is None
    asked.clear()
    assert engine().judge(controller, ACTIVITY, said) == (expected, [])
    [(_, second)] = asked
    assert first is not None and second is not None
    assert second < first and "transfer.Transfer.instrument" in first - second


def test_without_closures_unusual_rows_go_to_the_engine(controller: Controller, asked: Asked) -> None:
    said = rows(0, ROWS - 1)
    expected = in_pieces(controller.batch, said)
    controller.batch.judge(ACTIVITY, said)
    asked.clear()
    assert controller.batch.judge(ACTIVITY, said) == (expected, [])
    assert [count for count, _ in asked] == [ROWS, 2] and asked[1][1] is None


def test_a_datum_that_cannot_be_read_is_found_among_usual_ones(controller: Controller, asked: Asked) -> None:
    said = rows(3)
    for _ in range(2):
        hits, _ = engine().judge(controller, ACTIVITY, said)
    cut = said[9]._replace(datum=said[9].datum[:-1])
    expected = [hit for hit in hits if hit.offset != 9]
    assert engine().judge(controller, ACTIVITY, [*said[:9], cut, *said[10:]]) == (expected, [cut])
    asked.clear()
    assert engine().judge(controller, ACTIVITY, said) == (hits, [])
    [(_, unnamed)] = asked
    assert unnamed


def test_a_leaf_that_is_broken_where_nothing_is_decoded_is_found(controller: Controller, asked: Asked) -> None:
    """Of a union of two types there is no third, and a map of fewer than no entries is none."""
    said = rows(3)
    for _ in range(2):
        hits, _ = engine().judge(controller, ACTIVITY, said)
    assert said[9].datum.endswith(bytes(10))
    for end in (b"\x04", b"\x01", b"\x02"):
        broken = said[9]._replace(datum=said[9].datum[:-1] + end)
        expected = [hit for hit in hits if hit.offset != 9]
        assert engine().judge(controller, ACTIVITY, [*said[:9], broken, *said[10:]]) == (expected, [broken])


def test_what_is_not_written_as_we_write_it_is_judged_all_the_same(controller: Controller, asked: Asked) -> None:
    """An empty array may take more bytes than one: rows of another writer are never usual, and then nothing is."""
    said = rows(3)
    for _ in range(2):
        hits, _ = engine().judge(controller, ACTIVITY, said)
    assert said[0].datum.endswith(b"\x00")
    longer = [row._replace(datum=row.datum[:-1] + b"\x80\x00") for row in said]
    few = [*said[:9], longer[9], *said[10:]]
    assert engine().judge(controller, ACTIVITY, few) == (hits, [])
    assert engine().judge(controller, ACTIVITY, longer) == (hits, [])
    asked.clear()
    assert engine().judge(controller, ACTIVITY, longer) == (hits, [])
    assert asked == [(ROWS, None)]


def test_a_person_who_has_something_in_the_dossier_is_not_usual(controller: Controller, asked: Asked) -> None:
    """The families that hardly anybody has are looked up only for those who have one."""
    engine().judge(controller, ACTIVITY, rows())
    batch = controller.batch
    usual = batch._learnt.usual(ACTIVITY, ROWS)
    assert usual is not None and "_of_few" in usual.unnamed
    held = f"INSERT INTO {controller.database}.dossier (subject, held) VALUES"
    subject = policies_of("HMBS").own.base_event["subject"]["pseudonym"]
    for families, unusual in ((0, []), (2, [row(1), row(2)])):  # 2: objections
        engine()._embedded.query(f"{held} ('{subject}', {families})")
        assert batch._decoding.decode(ACTIVITY, [row(1), row(2)], usual.decoded)
        judged = batch._computed.judge([row(1), row(2)], usual)
        assert judged is not None and judged.unusual == unusual and not judged.hits
    engine()._embedded.query(f"{held} ('{subject}', 0)")


def test_columns_are_left_out_as_long_as_few_rows_say_them() -> None:
    counts = {"a": 0, "b": 3, "c": 2, "d": 40, "e": 0}
    assert _seldom(counts, 0) == set("ae")
    assert _seldom(counts, 5) == set("abce")
    assert _seldom(counts, 4) == set("ace")
    assert _seldom(counts, 45) == set("abcde")
