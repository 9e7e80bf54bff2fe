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
from inzage.streams.screening.usual import ALL, LEARNT_FROM, Learnt, Usual, _seldom

AT = datetime(2026, 3, 2, 10, tzinfo=UTC)
ACTIVITY = current("activity")
ROWS = LEARNT_FROM + 500
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
def asked(controller: Controller, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[int, Usual]]]:
    """What the tables were asked: how many rows, and what was left out; nothing is known of them yet."""
    made: list[tuple[int, Usual]] = []
    judge = Computed.judge

    def noted(self: Computed, rows: list[Row], usual: Usual = ALL) -> Any:
        made.append((len(rows), usual))
        return judge(self, rows, usual)

    monkeypatch.setattr(Computed, "judge", noted)
    controller.batch._learnt = Learnt(engine()._embedded, controller.database, controller.plan)
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


def test_few_unusual_rows_are_judged_one_by_one(controller: Controller, asked: list[tuple[int, Usual]]) -> None:
    said = rows(7, 4_001)
    expected = in_pieces(controller.batch, said)
    assert {hit.offset for hit in expected if hit.seen["instrument"]} == {7, 4_001}
    asked.clear()
    hits, unreadable = engine().judge(controller, ACTIVITY, said)
    assert (hits, unreadable) == (expected, [])
    [(count, usual)] = asked
    assert count == ROWS and {"transfer.Transfer.instrument", "_of_few"} <= usual.unnamed
    assert not {"purpose", "recipient.Recipient.org_id", "subject.pseudonym"} & usual.unnamed


def test_when_more_turn_out_unusual_less_is_left_out(controller: Controller, asked: list[tuple[int, Usual]]) -> None:
    engine().judge(controller, ACTIVITY, rows())
    said = rows(*range(0, ROWS, ROWS // (MOST_DIRECT + 50)))
    expected = in_pieces(controller.batch, said)
    asked.clear()
    assert engine().judge(controller, ACTIVITY, said) == (expected, [])
    first, second = [usual.unnamed for _, usual in asked]
    assert second < first and "transfer.Transfer.instrument" in first - second
    asked.clear()
    engine().judge(controller, ACTIVITY, said)
    assert [usual.unnamed for _, usual in asked] == [second]


def test_without_closures_unusual_rows_go_to_the_engine(
    controller: Controller, asked: list[tuple[int, Usual]]
) -> None:
    said = rows(0, ROWS - 1)
    expected = in_pieces(controller.batch, said)
    asked.clear()
    assert controller.batch.judge(ACTIVITY, said) == (expected, [])
    assert [count for count, _ in asked] == [ROWS, 2] and asked[1][1] == ALL


def test_a_person_who_has_something_in_the_dossier_is_not_usual(
    controller: Controller, asked: list[tuple[int, Usual]]
) -> None:
    """The families that hardly anybody has are looked up only for those who have one."""
    engine().judge(controller, ACTIVITY, rows())
    [(_, usual)] = asked
    held = f"INSERT INTO {controller.database}.dossier (subject, held) VALUES"
    subject = policies_of("HMBS").own.base_event["subject"]["pseudonym"]
    engine()._embedded.query(f"{held} ('{subject}', 2)")  # objections
    try:
        said = [row(1), row(2)]
        assert controller.batch._decoded(ACTIVITY, said)
        judged = controller.batch._computed.judge(said, usual)
        assert judged is not None and judged.unusual == said and not judged.hits
    finally:
        engine()._embedded.query(f"{held} ('{subject}', 0)")


def test_columns_are_left_out_as_long_as_few_rows_say_them() -> None:
    counts = {"a": 0, "b": 3, "c": 2, "d": 40, "e": 0}
    assert _seldom(counts, 0) == ["a", "e"]
    assert _seldom(counts, 5) == ["a", "b", "c", "e"]
    assert _seldom(counts, 4) == ["a", "c", "e"]
    assert _seldom(counts, 45) == ["a", "b", "c", "d", "e"]
