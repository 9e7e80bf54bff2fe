"""The sink keeps everything its topics say, each record once, in the table of what it says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from inzage.deploy.local.clickhouse.endpoint import Endpoint
from inzage.deploy.local.kafka import Broker
from inzage.schemas import codec
from inzage.sinks.leaf import headers_bytes, leaf_bytes, leaf_hash
from tests.trail_stack import Stack, activity, fact, stack_on

pytestmark = pytest.mark.kafka


@pytest.fixture
def stack(broker: Broker, clickhouse: Endpoint) -> Iterator[Stack]:
    with stack_on(broker, clickhouse) as made:
        yield made


async def test_an_activity_stands_with_coordinates_bytes_hash_and_typed_columns(stack: Stack) -> None:
    messages = stack.send_activities([1, 3])
    await stack.keep_until(2)
    first, second = stack.rows(
        "SELECT log_id, topic, partition, offset, leaf_index, toUnixTimestamp64Milli(broker_time), timestamp_type,"
        " key, hex(raw), hex(leaf_hash), schema_fingerprint, event_id, event_type, occurred_at, actor.role,"
        " subject.pseudonym, recipient.org_id, data_categories FROM trail.events ORDER BY offset"
    )
    cluster = stack.cluster()
    topic_id = cluster.topics[stack.topics.events][0]
    assert first[0] == f"inzage/{stack.controller.lower()}/{cluster.id}/{topic_id}/0"
    assert first[1:5] == (stack.topics.events, 0, 0, 0)
    assert second[3:5] == (1, 1)
    assert first[6] == 1  # the broker's clock
    assert (first[7], bytes.fromhex(first[8])) == ("SUB-1", messages[0])
    headers = headers_bytes([("ce_type", b"test"), ("ce_empty", b"")])
    encoded = leaf_bytes(0, 1, first[5], b"SUB-1", messages[0], headers)
    assert bytes.fromhex(first[9]) == leaf_hash(encoded)
    assert first[10] == codec.current("activity").fingerprint
    assert first[11:13] == ("event-1", "DisclosureEvent")
    assert first[13].replace(tzinfo=UTC) == datetime(2026, 3, 1, 0, 0, 1, tzinfo=UTC)
    assert first[14:] == ("CASE_MANAGER", "SUB-1", "ORG-EMP-001", ["IDENTITY"])
    assert second[16] is None  # nobody received: the recipient as a whole is null
    assert stack.rows("SELECT recipient IS NULL FROM trail.events ORDER BY offset") == [(0,), (1,)]


async def test_every_kind_of_record_goes_to_its_table(stack: Stack) -> None:
    controller = stack.controller
    heartbeat = {"controller_id": controller, "source_system": "crm", "source_instance": "1", "last_sequence": 4}
    heartbeat |= {"ended": False, "period": 60}
    at = datetime(2026, 3, 1, tzinfo=UTC)
    judged = {
        "controller_id": controller,
        "topic": stack.topics.events,
        "topic_id": "t",
        "partition": 0,
        "first_offset": 0,
        "last_offset": 2,
        **dict.fromkeys(("activities", "facts", "dead_letters", "violations"), 1),
        "pack": "p",
        "pack_version": "1",
    }
    verdict = {
        "verdict_id": "v",
        "event_id": "event-1",
        "controller_id": controller,
        "subject": "SUB-1",
        "rule_id": "CIGNA-55",
        "result": "VIOLATION",
        "severity": "HIGH",
        "theme": "employer",
        "reason": "r",
        "heading": "h",
        "promise": "p",
        "articles": ["5(1)(b)"],
        "facts": [],
        "pack": "p",
        "pack_version": "1",
        "occurred_at": at,
        "evaluated_at": at,
        "topic": stack.topics.events,
        "partition": 0,
        "offset": 0,
    }
    events = stack.topics.events
    numbered = {"source_instance": "crm-1", "source_sequence": 5}
    consent = fact(2, controller, subject="SUB-1", consent_ref="CONS-1", **numbered)
    organisation = fact(3, controller, "OrganisationRegistered", org_id="ORG-1")
    activity_ = codec.encode("activity", activity(1, controller))
    beat = codec.encode("heartbeat", {**heartbeat, "at": at})
    stack.send(events, [(b"SUB-1", activity_), (b"SUB-1", consent), (None, beat)])
    stack.send(stack.topics.references, [(b"fact-3", organisation), (b"fact-9", None)])
    said = [codec.encode("verdict", verdict), codec.encode("judged", judged)]
    stack.send(stack.topics.verdicts, [(b"k", message) for message in said])
    missing = {
        "alert_id": "a",
        "controller_id": controller,
        "source_system": "crm",
        "source_instance": "1",
        "topic": events,
        "kind": "GAP",
        "first_missing": 5,
        "last_missing": 6,
        "missing": 2,
        **dict.fromkeys(("since", "detected_at", "last_seen"), at),
    }
    stack.send(stack.topics.incompleteness, [(b"1", codec.encode("incompleteness", missing))])
    await stack.keep_until(9)
    assert stack.rows(
        "SELECT kept_in, offset FROM trail.log"
        f" WHERE topic LIKE 'inzage.{controller.lower()}.%' ORDER BY topic, offset"
    ) == [
        ("dead_letters", 0),
        ("events", 0),
        ("facts", 1),
        ("heartbeats", 2),
        ("references", 0),
        ("other_records", 1),
        ("verdicts", 0),
        ("judged", 1),
        ("incompleteness", 0),
    ]
    [(kind, subject, body)] = stack.rows("SELECT kind, subject, body FROM trail.facts")
    assert (kind, subject, json.loads(body)["consent_ref"]) == ("ConsentGiven", "SUB-1", "CONS-1")
    assert stack.rows("SELECT rule_id, offset, log_offset, articles FROM trail.violations") == [
        ("CIGNA-55", 0, 0, ["5(1)(b)"])
    ]
    assert stack.rows("SELECT source_instance, source_sequence FROM trail.facts") == [("crm-1", 5)]
    own = f"topic = '{stack.topics.references}'"  # the topic of the law's is everybody's
    assert stack.rows(f"SELECT source_instance, source_sequence FROM trail.references WHERE {own}") == [("", None)]
    [beat] = stack.rows("SELECT source_system, source_instance, last_sequence, ended, period FROM trail.heartbeats")
    assert beat == ("crm", "1", 4, False, 60)
    assert stack.rows("SELECT kind, first_missing, last_missing, missing, topic FROM trail.incompleteness") == [
        ("GAP", 5, 6, 2, events)
    ]
    assert stack.rows(
        "SELECT record, reason FROM trail.other_records WHERE partition = 0 ORDER BY topic, offset"
    ) == [
        ("", "contract.empty"),
    ]
