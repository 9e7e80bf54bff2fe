"""An event dropped on its way shows, in the trail and to the watch, and so does a source that fell silent."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from kafka import KafkaConsumer, TopicPartition

from inzage.console.main import main
from inzage.deploy.local.clickhouse.endpoint import Endpoint
from inzage.deploy.local.kafka import Broker
from inzage.schemas.codec import decode
from inzage.schemas.emitter import AlreadyPseudonyms, Emitter
from inzage.sinks.completeness.standing import SourceStanding, State, source_standings
from inzage.sinks.completeness.watch import Watch, Watched
from tests.trail_stack import Stack, stack_on

pytestmark = pytest.mark.kafka

PARTITIONS = 3
LATER = timedelta(minutes=2)


@pytest.fixture
def stack(broker: Broker, clickhouse: Endpoint, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    with stack_on(broker, clickhouse, PARTITIONS) as made:
        monkeypatch.setenv("INZAGE_CONTROLLERS", json.dumps([made.controller]))
        monkeypatch.setenv("INZAGE_KAFKA__BOOTSTRAP_SERVERS", made.settings.kafka.bootstrap_servers)
        monkeypatch.setenv("INZAGE_CLICKHOUSE__URL", made.settings.clickhouse.url)
        monkeypatch.setenv("INZAGE_CLICKHOUSE__DATABASE", made.database)
        yield made


def emitter(stack: Stack, **more: Any) -> Emitter:
    return Emitter(
        controller_id=stack.controller,
        source_system="claims",
        settings=stack.settings,
        vault=AlreadyPseudonyms(),
        **more,
    )


def _standings(stack: Stack, after: timedelta = LATER) -> list[SourceStanding]:
    found = source_standings(stack.settings, now=datetime.now(UTC) + after)
    return [standing for standing in found if stack.controller.lower() in standing.topic]


def _run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, Any]:
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main(["gaps", *arguments, "--output", "json"])
    shown = capsys.readouterr().out
    return int(ended.value.code or 0), json.loads(shown) if shown else None


def lose(speaking: Emitter, stack: Stack) -> None:
    """A message that was numbered, and of which nothing else is heard."""
    with speaking._sequence.next(stack.topics.events):
        pass


def say(speaking: Emitter, count: int) -> None:
    for number in range(count):
        speaking.access(subject=f"P-{number}")


async def test_a_dropped_message_is_listed_and_the_rest_is_complete(
    stack: Stack, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with emitter(stack) as losing, emitter(stack) as complete:
        say(losing, 10)
        lose(losing, stack)
        say(losing, 5)
        losing.fact("ConsentGiven", subject="P-1", consent_ref="C-1", explicit=True)
        lose(losing, stack)
        lose(losing, stack)
        say(complete, 20)
        complete.reference("AgreementSigned", agreement_ref="A-1", signed_by_both=True)
    await stack.keep_until(16 + 21 + 2)
    assert [standing.missing for standing in _standings(stack, timedelta(0))] == [0, 0, 0]  # they may still come
    by_missing = sorted(_standings(stack), key=lambda standing: standing.missing)
    shown = [(one.first, one.last, one.records, one.missing, one.ranges, one.state) for one in by_missing]
    assert (1, 20, 20, 0, (), State.ENDED) in shown
    assert (1, 1, 1, 0, (), State.UNKNOWN) in shown
    assert shown[-1] == (1, 17, 16, 3, ((11, 11), (18, 19)), State.ENDED)
    monkeypatch.setattr("inzage.sinks.completeness.standing.GRACE", 0.0)
    code, listed = _run(capsys, "--controller", stack.controller)
    assert (code, len(listed), listed[0]["ranges"], listed[0]["source_system"]) == (
        1,
        1,
        [[11, 11], [18, 19]],
        "claims",
    )
    code, listed = _run(capsys, "--all", "--source", by_missing[0].source_instance[:36])
    assert (code, {row["missing"] for row in listed}) == (0, {0})
    assert _run(capsys, "--since", "2099-01-01") == (0, [])


async def test_who_falls_silent_is_found_and_who_ended_is_not(
    stack: Stack, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One was killed: it never said that it ends, and its last number shows what its buffer held."""
    with emitter(stack) as ended:
        say(ended, 3)
    killed = emitter(stack, heartbeat=0.2)
    say(killed, 3)
    lose(killed, stack)
    killed.flush()
    await asyncio.sleep(0.5)
    killed._heartbeats.stop()
    places = [TopicPartition(stack.topics.events, partition) for partition in range(PARTITIONS)]
    await stack.keep_until(sum(len(_records(stack, place)) for place in places))
    assert {standing.state for standing in _standings(stack)} == {State.ENDED, State.SPEAKING}
    later = {one.state: one for one in _standings(stack, timedelta(minutes=16))}
    assert set(later) == {State.ENDED, State.SILENT}
    assert (later[State.SILENT].ranges, later[State.SILENT].complete) == (((4, 4),), False)
    monkeypatch.setattr("inzage.sinks.completeness.standing.SILENCE", -1.0)
    monkeypatch.setattr("inzage.sinks.completeness.standing.SILENT_PERIODS", 0)
    code, [listed] = _run(capsys)
    assert (code, listed["state"]) == (1, "silent")
    killed.close()


async def test_the_same_number_twice_is_no_gap_and_a_foreign_source_begins_anywhere(stack: Stack) -> None:
    line = {"event_type": "AccessEvent", "occurred_at": "2026-03-10T12:00:00Z", "subject": {"pseudonym": "P-1"}}
    with emitter(stack) as speaking:
        for number in (500, 501, 501, 503):
            event = {"event_id": f"E-{number}", "source_instance": "lpar/2", "source_sequence": number}
            speaking.emit({**line, **event})
    await stack.keep_until(4)
    [standing] = _standings(stack)
    assert (standing.source_instance, standing.first, standing.last, standing.records) == ("lpar/2", 500, 503, 4)
    assert (standing.ranges, standing.state) == (((502, 502),), State.UNKNOWN)


async def test_what_cannot_be_read_did_arrive(stack: Stack) -> None:
    """A dead letter is found by its own command; its number is not missing."""
    with emitter(stack) as speaking:
        say(speaking, 2)
        with speaking._sequence.next(stack.topics.events) as (instance, number):
            source = f"claims/{instance}".encode()
            headers = [("ce_source", source), ("ce_sequence", str(number).encode())]
            speaking._producer.send(stack.topics.events, key=b"P-1", value=b"broken", headers=headers)
        say(speaking, 1)
    await stack.keep_until(3 + 1 + 1 + 1)
    [standing] = _standings(stack)
    assert (standing.records, standing.missing, standing.source_system) == (4, 0, "claims")


async def test_a_partition_the_sink_has_not_read_is_no_gap(stack: Stack) -> None:
    with emitter(stack) as speaking:
        say(speaking, 30)
    await stack.keep_until(31)
    topic = stack.topics.events
    for table in ("events", "heartbeats"):  # as if the sink had not got to them yet
        gone = f"ALTER TABLE {stack.database}.{table} DELETE WHERE topic = '{topic}' AND partition = 1"
        stack.client.command(gone, settings={"mutations_sync": 2})
    [standing] = _standings(stack)
    assert standing.missing == 0 and standing.records < 30


async def test_the_watch_alerts_and_the_alert_stands_in_the_trail(stack: Stack) -> None:
    """Raw records of all partitions go in, and what comes out is published, kept, and names the number."""
    with emitter(stack) as speaking:
        say(speaking, 40)
        lose(speaking, stack)
        say(speaking, 40)
    topic = stack.topics.events
    watch = Watch([Watched(topic, stack.controller, PARTITIONS)])
    for partition in range(PARTITIONS):
        records = _records(stack, TopicPartition(topic, partition))
        assert watch.see(topic, partition, records) == []
        assert watch.due() == []
        watch.caught_up(topic, partition, records[-1].timestamp + 120_000)
    (alert,) = watch.due()
    assert decode(alert.value)[1]["first_missing"] == 41
    stack.send(alert.topic, [(alert.key, alert.value)])
    await stack.keep_until(80 + 1 + 1)
    kept = "SELECT kind, source_system, first_missing, last_missing, missing, topic FROM trail.incompleteness"
    assert stack.rows(kept) == [("GAP", "claims", 41, 41, 1, topic)]


def _records(stack: Stack, place: TopicPartition) -> list[Any]:
    consumer = KafkaConsumer(bootstrap_servers=stack.settings.kafka.bootstrap_servers, enable_auto_commit=False)
    try:
        consumer.assign([place])
        consumer.seek_to_beginning(place)
        end, found = consumer.end_offsets([place])[place], []
        while consumer.position(place) < end:
            found += consumer.poll(timeout_ms=500).get(place, [])
        return found
    finally:
        consumer.close()
