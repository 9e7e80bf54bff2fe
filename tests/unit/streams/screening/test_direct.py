"""Few rows are judged without the engine, which is told nothing for it; what only it can judge it judges."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

import pytest

from inzage.schemas.codec import current, encode, encode_datum
from inzage.schemas.errors import ConfigError
from inzage.schemas.json_face import read
from inzage.streams.dossier.law import law
from inzage.streams.dossier.references import References
from inzage.streams.dossier.versions import PersonDossier
from inzage.streams.screening.batch import MOST_DIRECT
from inzage.streams.screening.direct import Compiling, direct
from inzage.streams.screening.engine import Controller, engine
from inzage.streams.screening.examples import merged
from inzage.streams.screening.pack import Policies, Rule, policies_of
from inzage.streams.screening.row import Row

START = datetime(2026, 3, 2, 10, tzinfo=UTC)
ACTIVITY = current("activity")


def only(violated_when: str) -> Policies:
    """The policies with one entry, which is violated when `violated_when` holds."""
    policies = policies_of("HMBS").only({"HMBS-02"})
    [entry] = policies.entries
    entry = entry.model_copy(update={"violated_when": violated_when})
    rules = (Rule(entry, "", violated_when, None),)
    return Policies(**{**_fields(policies), "entries": (entry,), "rules": rules})


def _fields(policies: Policies) -> dict[str, object]:
    return {name: getattr(policies, name) for name in policies.__dataclass_fields__}


def prepared(violated_when: str) -> Controller:
    controller = engine().add(only(violated_when))
    references = References("HMBS", law(), controller.policies.settings)
    engine().load_tables(controller, references.tables(START))
    return controller


def row(offset: int = 7, **change: object) -> Row:
    base = policies_of("HMBS").own.base_event
    event = merged({**base, "controller_id": "HMBS", "recorded_at": START, "recipient": None}, change)
    datum = encode_datum("activity", read({"event": event}).record)
    now = int(START.timestamp() * 1000)
    return Row(offset, now, datum, "", offset, now)


def kept(controller: Controller, table: str) -> int:
    """How many rows the engine was told."""
    return int(engine()._query(f"SELECT count() FROM {controller.database}.{table}", "TSV"))


def dossier(country: str) -> PersonDossier:
    said = {"type": "EnrolmentRecorded", "fact_id": country, "subject": "SUB-1", "employer_id": "ORG-E", "plan": "P"}
    fact = read({"fact": {**said, "country_of_work": country, "recorded_at": START, "controller_id": "HMBS"}}).record
    made = PersonDossier("SUB-1")
    made.take(1, encode("fact", fact), fact)
    return made


@pytest.mark.parametrize("controller_id", ["CIGNA", "HMBS"])
def test_every_column_has_the_type_that_clickhouse_gives_it(controller_id: str) -> None:
    """So every expression of ours is known here, and none is taken for another kind."""
    controller = engine().add(policies_of(controller_id))
    asked = f"SELECT DISTINCT name, type FROM system.columns WHERE database = '{controller.database}'"
    asked += " AND startsWith(name, 'd_') AND table = 'judged'"
    lines = engine()._query(asked, "TSVRaw").decode().splitlines()
    theirs = {name: kind.replace("`", "") for name, _, kind in (line.partition("\t") for line in lines)}
    compiling = Compiling(controller.view)
    ours = {name: str(compiling.column(name).type) for name in theirs}
    assert ours == theirs and len(ours) > 100
    assert controller.direct is not None


def test_the_engine_is_told_when_it_judges_and_not_before() -> None:
    controller = prepared("country_of_work = 'NL'")
    of_person = {"subject": {"pseudonym": "SUB-1"}}
    engine().load_dossiers(controller, [dossier("BE")])
    engine().load_dossiers(controller, [dossier("NL")])  # the last one counts
    engine().load_counts(controller, {"ORG|X": [(3, START, "ORG")]})
    asked = row(**of_person)
    hits, _ = engine().judge(controller, ACTIVITY, [asked])
    assert [hit.codes for hit in hits] == [((0, 1),)]
    assert not any(kept(controller, table) for table in ("dossier", "count", "country"))
    assert engine().judge_at_once(controller, ACTIVITY, [asked]) == (hits, [])
    assert all(kept(controller, table) for table in ("dossier", "count", "country"))
    engine().forget_persons(controller)
    assert engine().judge(controller, ACTIVITY, [asked]) == engine().judge_at_once(controller, ACTIVITY, [asked])
    assert engine().judge(controller, ACTIVITY, [asked]) == ([], []) and not kept(controller, "dossier")


def test_a_changed_reference_counts_for_both() -> None:
    controller = prepared("record_count > record_cap")
    asked = row(record_count=400)
    assert engine().judge(controller, ACTIVITY, [asked]) == ([], [])
    assert engine().judge_at_once(controller, ACTIVITY, [asked]) == ([], [])
    references = References("HMBS", law(), {**controller.policies.settings, "record_cap": 399.0})
    engine().load_tables(controller, references.tables(START))
    hits, _ = engine().judge(controller, ACTIVITY, [asked])
    assert len(hits) == 1 and engine().judge_at_once(controller, ACTIVITY, [asked]) == (hits, [])


def test_a_pack_that_only_clickhouse_evaluates_is_judged_by_it(caplog: pytest.LogCaptureFixture) -> None:
    """No answer is guessed; it is said once."""
    controller = prepared("record_count * 2 > 800")
    with pytest.raises(ConfigError, match="entry HMBS-02: only ClickHouse evaluates"):
        direct(controller.view, controller.policies, [])
    with caplog.at_level(logging.WARNING):
        for count, wanted in ((401, 1), (400, 0)):
            hits, _ = engine().judge(controller, ACTIVITY, [row(record_count=count)])
            assert len(hits) == wanted
    assert len(caplog.records) == 1 and "HMBS" in caplog.text


def test_rows_that_only_the_engine_can_read_keep_their_place() -> None:
    """An instant of the far future, and one that nobody can read, between others."""
    controller = prepared("t > toDateTime64('2020-01-01 00:00:00', 6, 'UTC')")
    far = row(8, occurred_at=datetime(2400, 1, 1, tzinfo=UTC))
    broken = row(9)._replace(datum=b"\xff")
    rows = [row(7), far, broken, row(10)]
    hits, unreadable = engine().judge(controller, ACTIVITY, rows)
    assert [hit.offset for hit in hits] == [7, 8, 10] and unreadable == [broken]
    assert engine().judge_at_once(controller, ACTIVITY, rows) == (hits, unreadable)


def test_many_rows_go_to_the_engine() -> None:
    controller = prepared("record_count > 1")
    rows = [row(number, record_count=number) for number in range(MOST_DIRECT + 1)]
    few, _ = engine().judge(controller, ACTIVITY, rows[:-1])
    assert not kept(controller, "country")
    many, _ = engine().judge(controller, ACTIVITY, rows)
    assert kept(controller, "country") and many[:-1] == few and len(few) == MOST_DIRECT - 2


def test_what_is_learnt_later_is_not_seen() -> None:
    """A dossier that grows after it was loaded: the row's horizon decides what it sees."""
    controller, person = prepared("country_of_work = 'NL'"), dossier("NL")
    engine().load_dossiers(controller, [person])
    ended = {"type": "EnrolmentRecorded", "fact_id": "again", "subject": "SUB-1", "employer_id": "ORG-E", "plan": "P"}
    ended |= {"country_of_work": "BE", "recorded_at": START + timedelta(hours=1), "controller_id": "HMBS"}
    fact = read({"fact": ended}).record
    person.take(9, encode("fact", fact), fact)
    asked = row(subject={"pseudonym": "SUB-1"})
    assert [hit.codes for hit in engine().judge(controller, ACTIVITY, [asked])[0]] == [((0, 1),)]
    assert engine().judge(controller, ACTIVITY, [asked._replace(horizon=10)]) == ([], [])
