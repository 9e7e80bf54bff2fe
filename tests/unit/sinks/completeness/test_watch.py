"""Raw records of a topic's partitions become alerts that say what is missing, once all partitions were read."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from inzage.schemas.codec import current, decode
from inzage.schemas.emitter.heartbeats import heartbeat
from inzage.schemas.emitter.message import Headers, Message, heartbeat_message, message_of
from inzage.schemas.emitter.reader import Reader
from inzage.schemas.emitter.sequence import instance_on
from inzage.schemas.emitter.vault import AlreadyPseudonyms
from inzage.schemas.framing import SINGLE_OBJECT_BYTES
from inzage.schemas.statement import registered
from inzage.sinks.completeness.watch import Watch, Watched

TOPIC = "inzage.cigna.events.v1"
INSTANCE = instance_on("0190f0a0-0000-7000-8000-000000000001", TOPIC)
NOW = 1_772_000_000_000
MINUTE = 60_000
SAID = {"event_type": "AccessEvent", "occurred_at": "2026-03-10T12:00:00Z", "subject": {"pseudonym": "P-1"}}
CONSENT = {"type": "ConsentGiven", "recorded_at": "2026-03-10T12:00:00Z", "subject": "P-1"}


@dataclass
class Record:
    headers: Headers
    value: bytes
    timestamp: int


def said(number: int, at: int = NOW, instance: str = INSTANCE, line: dict[str, Any] = SAID) -> Record:
    numbered = {**line, "source_instance": instance, "source_sequence": number}
    return _record(message_of(Reader("CIGNA", "claims", AlreadyPseudonyms()).read(numbered, pseudonymised=True)), at)


def beat(last: int, at: int = NOW, *, ended: bool = False) -> Record:
    return _record(heartbeat_message(heartbeat("CIGNA", "claims", (INSTANCE, last), period=60, ended=ended)), at)


def _record(message: Message, at: int) -> Record:
    return Record(message.headers, message.value, at)


def watch(partitions: int = 2) -> Watch:
    return Watch([Watched(TOPIC, "CIGNA", partitions)])


def read(messages: list[Message]) -> list[dict[str, Any]]:
    return [decode(message.value)[1] for message in messages]


def test_nothing_is_missing_before_every_partition_was_read() -> None:
    """What one partition lacks lies on another that is behind, by an hour if need be."""
    made = watch()
    made.see(TOPIC, 0, [said(1), said(3), said(4, NOW + 60 * MINUTE)])
    assert made.due() == []
    assert made.see(TOPIC, 1, [said(2), said(5, NOW + 60 * MINUTE)]) == []
    made.caught_up(TOPIC, 0, NOW + 62 * MINUTE)
    made.caught_up(TOPIC, 1, NOW + 62 * MINUTE)
    assert made.due() == []
    made.see(TOPIC, 1, [said(7, NOW + 63 * MINUTE)])
    made.caught_up(TOPIC, 1, NOW + 70 * MINUTE)
    assert made.due() == []
    made.caught_up(TOPIC, 0, NOW + 70 * MINUTE)
    assert [alert["first_missing"] for alert in read(made.due())] == [6]


def test_an_alert_says_all_of_it_on_the_topic_of_the_controller() -> None:
    made = watch(1)
    made.see(TOPIC, 0, [said(1), said(4, line=CONSENT)])
    made.caught_up(TOPIC, 0, NOW + MINUTE)
    (message,) = made.due()
    assert (message.topic, message.key) == ("inzage.cigna.violations.completeness.v1", INSTANCE.encode())
    (alert,) = read([message])
    identifier, since = alert.pop("alert_id"), alert.pop("since")
    assert dict(message.headers)["ce_id"].decode() == identifier and len(identifier) == 64
    assert (since.timestamp() * 1000, alert.pop("last_seen"), alert.pop("detected_at").timestamp() * 1000) == (
        NOW,
        since,
        NOW + MINUTE,
    )
    assert alert == {
        "controller_id": "CIGNA",
        "source_system": "claims",
        "source_instance": INSTANCE,
        "topic": TOPIC,
        "kind": "GAP",
        "first_missing": 2,
        "last_missing": 3,
        "missing": 2,
    }
    (closed,) = read(made.see(TOPIC, 0, [said(2, NOW + 2 * MINUTE)]))
    assert (closed["kind"], closed["first_missing"], closed["alert_id"] == identifier) == ("CLOSED", 2, False)


def test_the_same_finding_has_the_same_identifier() -> None:
    found = []
    for late in (0, 500):
        made = watch(1)
        made.see(TOPIC, 0, [said(1), said(3, NOW + late)])
        made.caught_up(TOPIC, 0, NOW + MINUTE + 1_000)
        found += read(made.due())
    assert found[0]["alert_id"] == found[1]["alert_id"]


def test_heartbeats_are_read_and_a_broken_one_is_passed_over() -> None:
    made = watch(1)
    broken = beat(9)
    broken.value = broken.value[:-4]
    made.see(TOPIC, 0, [said(1), beat(2), broken])
    made.caught_up(TOPIC, 0, NOW + 20 * MINUTE)
    assert [(alert["kind"], alert["first_missing"]) for alert in read(made.due())] == [("GAP", 2), ("SILENT", None)]


def test_names_with_slashes_are_told_apart() -> None:
    made = Watch([Watched(TOPIC, "CIGNA", 1)])
    records = [said(1), said(3), said(5, instance="mainframe/lpar-2"), said(7, instance="mainframe/lpar-2")]
    made.see(TOPIC, 0, records)
    made.caught_up(TOPIC, 0, NOW + MINUTE)
    found = [(alert["source_system"], alert["source_instance"]) for alert in read(made.due())]
    assert found == [("claims", INSTANCE), ("claims", "mainframe/lpar-2")]


def test_a_watch_goes_on_from_its_state() -> None:
    made = watch()
    made.see(TOPIC, 0, [said(1), said(3)])
    kept = json.loads(json.dumps(made.state()))
    again = watch()
    again.restore(kept)
    again.see(TOPIC, 0, [said(5)])
    for partition in (0, 1):
        again.caught_up(TOPIC, partition, NOW + MINUTE)
    assert [alert["first_missing"] for alert in read(again.due())] == [2, 4]
    assert list(again.changed()[TOPIC]["sources"]) == [INSTANCE]
    assert again.state()[TOPIC]["read"] == [NOW + MINUTE] * 2


def test_a_heartbeat_in_a_registrys_framing_is_heard_when_its_schema_is_known() -> None:
    schema = registered(7, current("heartbeat").text)
    plain = beat(2)
    framed = Record(plain.headers, schema.header + plain.value[SINGLE_OBJECT_BYTES:], plain.timestamp)
    for also, missing in (({}, []), ({schema.header: schema}, [("GAP", 2, 2)])):
        made = watch(1)
        made.see(TOPIC, 0, [said(1), framed], also=also)
        made.caught_up(TOPIC, 0, NOW + 2 * MINUTE)
        assert [(one["kind"], one["first_missing"], one["last_missing"]) for one in read(made.due())] == missing
