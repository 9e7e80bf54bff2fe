"""Verdicts do not depend on where a batch was cut, nor on where a replay began: byte for byte."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from functools import cache
from io import BytesIO
from random import Random
from typing import Any

import pytest
from fastavro import schemaless_writer

from inzage.schemas.codec import Schema, current, encode, schema_at, schema_of
from inzage.schemas.framing import SINGLE_OBJECT_BYTES
from inzage.schemas.statement import registered
from inzage.schemas.topics import ControllerTopics
from inzage.streams.dossier import store
from inzage.streams.dossier.store import DossierStore, count_message, dossier_message, stretch_of
from inzage.streams.outgoing import state
from inzage.streams.screening.engine import Controller, engine
from inzage.streams.screening.pack import policies_of
from inzage.streams.screening.record import SaidRecord
from inzage.streams.screening.screener import Screener
from tests.differential.stream import Stream, generated

Verdicts = dict[tuple[int, str], bytes]


@cache
def controller() -> Controller:
    return engine().add(policies_of("CIGNA"))


@cache
def stream() -> Stream:
    """180 events with facts between them; references change twice, and transfers under derogations are counted.

    Every fourth event is written with an older schema, and every third is delivered once more at the end.
    """
    said = generated(21, "CIGNA", 180, blocks=2).said
    for number, (_, event) in enumerate([entry for entry in said if entry[0] == "event"]):
        if number % 9 < 2:
            event |= {"occurred_at": datetime(2026, 3, 1, tzinfo=UTC) + timedelta(hours=number), "ended_at": None}
            event["recipient"] = {"org_id": "ORG-A", "establishment_country": "KE", "processing_country": "KE"}
            event["transfer"] = {"destination_country": "KE", "instrument": "DEROGATION_CONTRACT"}
    made = Stream("CIGNA", said)
    for number, (offset, event) in enumerate(made.events.items()):
        if number % 4 == 0:
            place = next(place for place, record in enumerate(made.records) if record.offset == offset)
            made.records[place] = made.records[place]._replace(value=_written(older(), event))
    for record in list(made.records):
        event = made.events.get(record.offset)
        if event and record.offset % 3 == 0:
            made.records.append(record._replace(offset=record.offset + 10_000))
    return made


@cache
def older() -> Schema:
    """A schema of an earlier version: without a field that no policy of Cigna reads."""
    source = json.loads(current("activity").text)
    source["fields"] = [field for field in source["fields"] if field["name"] != "ticket_ref"]
    return schema_of("activity", json.dumps(source))


def _written(schema: Schema, record: dict[str, Any]) -> bytes:
    buffer = BytesIO(schema.header)
    buffer.seek(0, 2)
    schemaless_writer(buffer, schema.parsed, record)
    return buffer.getvalue()


def screener_of(made: Stream) -> Screener:
    screener = made.screener(controller())
    screener.schemas = {older().header: older()}
    return screener


def verdicts(screener: Screener, batches: list[list[SaidRecord]]) -> Verdicts:
    found: Verdicts = {}
    for batch in batches:
        for verdict in screener.screen(batch).verdicts:
            place = verdict["offset"], verdict["rule_id"]
            assert place not in found, f"two verdicts at {place}"
            found[place] = encode("verdict", verdict)
    return found


def cut(records: list[SaidRecord], random: Random, pieces: int) -> list[list[SaidRecord]]:
    places = sorted(random.sample(range(1, len(records)), pieces - 1))
    return [records[begin:end] for begin, end in zip([0, *places], [*places, len(records)], strict=True)]


@cache
def whole() -> tuple[Verdicts, Any]:
    screener = screener_of(stream())
    return verdicts(screener, [stream().records]), screener


@pytest.mark.parametrize("seed", range(3))
def test_any_cutting_into_batches_gives_the_same_verdicts(seed: int) -> None:
    expected, _ = whole()
    assert len(expected) > 500 and max(offset for offset, _ in expected) < 10_000, "redelivered events add none"
    random = Random(seed)
    found = verdicts(screener_of(stream()), cut(stream().records, random, random.randint(4, 9)))
    assert found == expected


@pytest.mark.parametrize("seed", range(3))
def test_a_replay_with_dossiers_loaded_gives_the_same_verdicts(seed: int) -> None:
    """Dossiers and counters are loaded as they stood at the end, or a while after the replay begins."""
    expected, finished = whole()
    records, random = stream().records, Random(seed)
    begin = random.randrange(len(records) // 2)
    reached = finished if seed else _after(begin + 40)
    screener = screener_of(stream())
    for subject in {subject for event in stream().events.values() for subject in [event["subject"]["pseudonym"]]}:
        dossier = reached.store.get(subject)
        if dossier is not None:
            screener.store.keep(dossier_message(dossier))
    for key, transfers in reached.store.all_counts().items():
        for stretch in sorted({stretch_of(offset) for offset, _, _ in transfers}):
            said = [one for one in transfers if stretch_of(one[0]) == stretch]
            screener.store.keep(count_message(key, stretch, said))
    for record in records[:begin]:
        if record.offset in stream().events and record.value is not None:
            screener.recent.is_new(record.offset, (record.value or b"")[SINGLE_OBJECT_BYTES:])
    found = verdicts(screener, cut(records[begin:], random, 3))
    first = records[begin].offset
    assert found == {place: verdict for place, verdict in expected.items() if place[0] >= first}
    assert len(found) > 200


def test_when_the_engine_begins_afresh_makes_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every batch goes to ClickHouse, now and then with empty tables; of six persons two stay decoded for a while."""
    expected, _ = whole()
    monkeypatch.setattr("inzage.streams.screening.engine.MOST_DIRECT", 0)
    random, screener, found, away = Random(5), screener_of(stream()), {}, set()
    forget = engine().forget_dossiers

    def noted(of: Controller, subjects: list[str]) -> None:
        away.update(subjects)
        forget(of, subjects)

    monkeypatch.setattr(engine(), "forget_dossiers", noted)
    records = stream().records
    few = [records[place : place + 3] for place in range(100, 124, 3)]
    for batch in (records[:100], *few, records[124:200], records[200:]):
        last = batch[-1] is records[-1]
        screener.store.most_open = 100 if last or batch[0] is records[124] else 2
        if last or random.random() < 0.3:
            controller().telling.begin_afresh()
        found |= verdicts(screener, [batch])
    assert found == expected
    assert len(away) > 3


def _after(count: int) -> Screener:
    screener = screener_of(stream())
    screener.screen(stream().records[:count])
    return screener


def test_the_framing_makes_no_difference() -> None:
    """Every second record in a registry's framing: the same verdicts, dossiers that need no registry."""
    expected, finished = whole()
    named = {current("activity").header: 1, current("fact").header: 2, older().header: 3}
    framed = {
        header: registered(number, schema_at(header, {older().header: older()}).text)
        for header, number in named.items()
    }
    screener = screener_of(stream())
    screener.schemas = {older().header: older()} | {schema.header: schema for schema in framed.values()}
    records = list(stream().records)
    for place in range(0, len(records), 2):
        value = records[place].value or b""
        records[place] = records[place]._replace(value=framed[value[:10]].header + value[10:])
    assert verdicts(screener, [records]) == expected
    opened = screener.store.opened()
    assert len(opened) > 4
    for dossier in opened:
        known = finished.store.get(dossier.subject)
        assert [(offset, fact) for offset, _, fact in dossier.said] == [(at, fact) for at, _, fact in known.said]
        fresh = DossierStore()
        fresh.keep(dossier_message(dossier))
        assert fresh.get(dossier.subject).said == dossier.said


def test_counters_are_read_back_from_what_was_published(monkeypatch: pytest.MonkeyPatch) -> None:
    """A counter is several records, and of each compaction keeps the last."""
    monkeypatch.setattr(store, "COUNTED_TOGETHER", 40)
    screener, kept = screener_of(stream()), dict[bytes | None, bytes | None]()
    for batch in cut(stream().records, Random(1), 30):
        for record in state(ControllerTopics("CIGNA"), screener.screen(batch), 0):
            if store.is_count(record.key):
                kept[record.key] = record.value
    counters = screener.store.all_counts()
    assert len(kept) > len(counters) > 0
    again = DossierStore()
    for value in Random(2).sample(list(kept.values()), len(kept)):
        again.keep(value or b"")
    assert {key: sorted(said) for key, said in again.all_counts().items()} == {
        key: sorted(said) for key, said in counters.items()
    }


def test_counters_made_a_difference() -> None:
    """Otherwise the tests above would not have seen them."""
    expected, finished = whole()
    assert any(len(seen) > 3 for seen in finished.store.all_counts().values())
    assert {rule for _, rule in expected} >= {"CIGNA-71", "CIGNA-55", "CIGNA-56", "CIGNA-92"}
