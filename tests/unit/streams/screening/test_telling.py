"""What ClickHouse is told takes no more than what is live, and is told again when it is needed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import Any

import pytest

from inzage.schemas.codec import Schema, encode
from inzage.schemas.json_face import read
from inzage.streams.dossier.law import law
from inzage.streams.dossier.references import References
from inzage.streams.dossier.versions import PersonDossier
from inzage.streams.screening import telling
from inzage.streams.screening.batch import Batch, Few
from inzage.streams.screening.embedded import Embedded
from inzage.streams.screening.engine import Controller, engine
from inzage.streams.screening.row import Row
from inzage.streams.screening.usual import Usual
from tests.unit.streams.screening.test_direct import ACTIVITY, START, kept, prepared, row

ROOM = 8 << 20


def dossier(subject: str, country: str = "NL") -> PersonDossier:
    said = {
        "type": "EnrolmentRecorded",
        "fact_id": f"{subject}-1",
        "subject": subject,
        "employer_id": "E",
        "plan": "P",
    }
    fact = read({"fact": {**said, "country_of_work": country, "recorded_at": START, "controller_id": "HMBS"}}).record
    made = PersonDossier(subject)
    made.take(1, encode("fact", fact), fact)
    return made


@pytest.fixture
def controller() -> Controller:
    return prepared("country_of_work = 'NL'")


@pytest.fixture
def emptied(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The tables of dossiers that were emptied; there is little room."""
    monkeypatch.setattr(telling, "ROOM", ROOM)
    asked: list[str] = []
    query = Embedded.query

    def noted(self: Embedded, sql: str, form: str = "Null") -> bytes:
        if sql.startswith("TRUNCATE") and sql.endswith(".dossier"):
            asked.append(sql)
        return query(self, sql, form)

    monkeypatch.setattr(Embedded, "query", noted)
    yield asked


def violated(controller: Controller, *subjects: str) -> list[str]:
    rows = [row(offset, subject={"pseudonym": subject}) for offset, subject in enumerate(subjects, start=2)]
    hits, unreadable = engine().judge_at_once(controller, ACTIVITY, rows)
    assert not unreadable
    return [subjects[hit.offset - 2] for hit in hits]


def test_a_person_told_a_thousand_times_takes_no_more_than_the_room_there_is(
    controller: Controller, emptied: list[str]
) -> None:
    most = 0
    engine().load_dossiers(controller, [dossier("SUB-2")])
    for number in range(1_000):
        engine().load_dossiers(controller, [dossier("SUB-1", "BE" if number % 2 else "NL")])
        controller.telling.tell()
        controller.telling.tell_persons()
        if number % 20 == 0:
            most = max(most, controller.telling.bytes())
    assert ROOM / 2 < most < 1.5 * ROOM
    assert 10 < len(emptied) < 100, "each INSERT takes some 290 KB; beginning afresh is seldom"
    assert violated(controller, "SUB-1", "SUB-2", "SUB-3") == ["SUB-2"]


def test_a_counter_that_grows_takes_no_more_than_the_room_there_is(
    controller: Controller, emptied: list[str]
) -> None:
    seen = [(number, START + timedelta(seconds=number), f"ORG-{number}") for number in range(20_000)]
    for number in range(10_000, 20_000, 500):
        engine().load_counts(controller, {"ORG|X": seen[:number], "ORG|Y": seen[:1]})
        controller.telling.tell()
    asked = f"joinGet('{controller.database}.count', 'seen', key)"
    lengths = engine()._query(f"SELECT length({asked}) FROM (SELECT arrayJoin(['ORG|X', 'ORG|Y']) AS key)", "TSV")
    assert lengths.split() == [b"19500", b"1"]
    assert 0 < len(emptied) < 10
    assert controller.telling.bytes() < ROOM + 2 * 19_500 * 80


def test_references_that_change_to_and_fro_are_told_again_whole(controller: Controller, emptied: list[str]) -> None:
    """The revision goes through the states of the references again and again."""
    references = References("HMBS", law(), controller.policies.settings)
    one = references.tables(START)
    other = {
        **one,
        "country": {key: {**row, "majority": 21} for key, row in one["country"].items() if key != ("BE",)},
    }
    for number in range(300):
        engine().load_tables(controller, other if number % 2 else one)
        controller.telling.tell()
    assert emptied and controller.telling.bytes() < 1.5 * ROOM
    asked = f"SELECT joinGet('{controller.database}.country', 'majority', code), code FROM (SELECT 'NL' AS code)"
    assert engine()._query(asked, "TSV").split() == [b"21", b"NL"]
    assert controller.telling._references["setting"] and kept(controller, "setting")
    assert violated(controller, "SUB-1") == []


def test_only_persons_of_whom_rows_speak_are_told(controller: Controller) -> None:
    engine().load_dossiers(controller, [dossier(f"SUB-{number}") for number in range(1, 5)])
    assert violated(controller, "SUB-2", "SUB-3", "SUB-2") == ["SUB-2", "SUB-3", "SUB-2"]
    assert kept(controller, "dossier") == 2
    controller.telling.begin_afresh()
    assert violated(controller, "SUB-4", "SUB-3") == ["SUB-4", "SUB-3"] and kept(controller, "dossier") == 2
    engine().forget_dossiers(controller, ["SUB-4"])
    controller.telling.begin_afresh()
    assert violated(controller, "SUB-4", "SUB-3", "SUB-1") == ["SUB-3", "SUB-1"], "and held no more is not told"


def test_persons_are_told_of_whom_usual_rows_speak(controller: Controller, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are decoded and judged on a path of their own."""
    for limit in ("LEARNT_FROM", "_WORTH"):
        monkeypatch.setattr(f"inzage.streams.screening.usual.{limit}", 1)
    taken: list[Usual] = []
    monkeypatch.setattr(Batch, "_judged_if_usual", noting(Batch._judged_if_usual, taken))
    controller.batch._learnt._known.clear()
    engine().load_dossiers(controller, [dossier(f"SUB-{number}") for number in range(1, 5)])
    assert violated(controller, "SUB-9") == [] and not taken
    controller.telling.begin_afresh()
    assert violated(controller, "SUB-2", "SUB-9", "SUB-3") == ["SUB-2", "SUB-3"]
    assert len(taken) == 1 and kept(controller, "dossier") == 2


def noting(judged: Callable[..., Any], taken: list[Usual]) -> Callable[..., Any]:
    def noted(batch: Batch, schema: Schema, rows: Sequence[Row], usual: Usual, few: Few | None) -> Any:
        taken.append(usual)
        return judged(batch, schema, rows, usual, few)

    return noted


def test_what_is_held_nowhere_else_stays(controller: Controller, emptied: list[str]) -> None:
    """A what-if tells dossiers and keeps none: it forgets them when it is done with a share."""
    for number in range(60):
        engine().tell_dossiers([controller], [dossier(f"SUB-{number}")])
    assert controller.telling.bytes() > ROOM and not emptied
    assert violated(controller, "SUB-0", "SUB-59") == ["SUB-0", "SUB-59"]
    engine().forget_persons(controller)
    assert violated(controller, "SUB-0") == [] and emptied


def test_it_is_begun_afresh_while_an_insert_is_open(controller: Controller, emptied: list[str]) -> None:
    """It would wait for ever for an INSERT that reads the table."""
    open_inserts = engine()._embedded._open
    assert violated(controller, "SUB-1") == [] and controller.batch._computed._table in {of for of, _ in open_inserts}
    for number in range(60):
        engine().load_dossiers(controller, [dossier("SUB-1", "BE" if number % 2 else "NL")])
        assert violated(controller, "SUB-1") == ([] if number % 2 else ["SUB-1"])
    assert emptied
