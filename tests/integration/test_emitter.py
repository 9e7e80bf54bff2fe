"""The emitter against a real broker: what arrives, in which order, and what is raised when it does not."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from kafka import KafkaConsumer, TopicPartition
from kafka.admin import KafkaAdminClient, NewTopic
from kafka.errors import TopicAlreadyExistsError

from inzage.console.main import main
from inzage.schemas.codec import current, decode
from inzage.schemas.emitter import (
    Actor,
    AlreadyPseudonyms,
    Delivery,
    DeliveryError,
    Emitter,
    Pseudonym,
    Recipient,
    SqlVault,
)
from inzage.schemas.errors import ConfigError, ContractError, TransientError
from inzage.schemas.framing import SINGLE_OBJECT_BYTES
from inzage.schemas.topics import MAX_MESSAGE_BYTES, SCHEMAS, ControllerTopics

pytestmark = pytest.mark.kafka

ROOT = Path(__file__).parents[2]


class Tenant:
    """A controller of its own for one test, with its topics."""

    def __init__(self, servers: str, limits: dict[str, str]) -> None:
        self.name = f"T{uuid4().hex[:12]}"
        self.servers = servers
        self.topics = ControllerTopics(self.name)
        admin = KafkaAdminClient(bootstrap_servers=servers)
        wanted = [
            NewTopic(self.topics.events, 3, 1, topic_configs=limits),
            NewTopic(self.topics.references, 1, 1),
            NewTopic(self.topics.dead_letters, 1, 1),
        ]
        admin.create_topics(wanted)
        try:
            admin.create_topics([NewTopic(SCHEMAS, 1, 1)])
        except TopicAlreadyExistsError:
            pass
        admin.close()

    def emitter(self, **more: Any) -> Emitter:
        more.setdefault("vault", SqlVault.passing())
        return Emitter(controller_id=self.name, source_system="claims", bootstrap_servers=self.servers, **more)

    def records(self, topic: str) -> list[Any]:
        """Everything on a topic now but heartbeats."""
        return [record for record in self.everything(topic) if not _is_heartbeat(record)]

    def heartbeats(self) -> list[dict[str, Any]]:
        """The heartbeats on the events topic, in the order in which they were said."""
        said = [decode(record.value)[1] for record in self.everything(self.topics.events) if _is_heartbeat(record)]
        return sorted(said, key=lambda beat: beat["at"])

    def everything(self, topic: str) -> list[Any]:
        consumer = KafkaConsumer(bootstrap_servers=self.servers, enable_auto_commit=False)
        parts = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic) or ()]
        consumer.assign(parts)
        consumer.seek_to_beginning()
        ends = consumer.end_offsets(parts)
        found: list[Any] = []
        while any(consumer.position(part) < ends[part] for part in parts):
            for batch in consumer.poll(timeout_ms=500).values():
                found += batch
        consumer.close()
        return found

    def events(self) -> list[dict[str, Any]]:
        return [decode(record.value)[1] for record in self.records(self.topics.events)]


def _is_heartbeat(record: Any) -> bool:
    return bool(record.value and record.value[:SINGLE_OBJECT_BYTES] == current("heartbeat").header)


@pytest.fixture
def tenant(broker: Any) -> Iterator[Tenant]:
    yield Tenant(broker.bootstrap_servers, {})


@pytest.fixture
def narrow(broker: Any) -> Iterator[Tenant]:
    """A tenant whose broker refuses what the emitter still takes."""
    yield Tenant(broker.bootstrap_servers, {"max.message.bytes": "2000"})


def test_a_disclosure_arrives_whole_without_any_identifier(tenant: Tenant) -> None:
    with tenant.emitter() as emitter:
        event_id = emitter.disclosure(
            subject="member:4711",
            relation="INSURED_EMPLOYEE",
            actor=Actor(id="staff:17", type="HUMAN"),
            recipient=Recipient(org_id="ORG-1", person="doctor:3"),
            data_categories=["CLAIM"],
            data_items=["DIAGNOSIS_CODE", "TENANT_ITEM"],
            purpose="CLAIMS_HANDLING",
        )
    (record,) = tenant.records(tenant.topics.events)
    _, event = decode(record.value)
    assert event["event_id"] == event_id and event["event_type"] == "DisclosureEvent"
    assert record.key.decode() == event["subject"]["pseudonym"]
    assert event["other_data_items"] == ["TENANT_ITEM"] and event["recipient"]["org_id"] == "ORG-1"
    assert dict(record.headers)["ce_id"].decode() == event_id
    everything = record.key + record.value + b"".join(value for _, value in record.headers)
    for identifier in (b"4711", b"staff:17", b"doctor:3"):
        assert identifier not in everything


def test_facts_and_references_go_to_their_topics(tenant: Tenant) -> None:
    with tenant.emitter() as emitter:
        emitter.fact("ConsentGiven", subject="member:1", consent_ref="C-1", explicit=True)
        fact_id = emitter.reference("AgreementSigned", agreement_ref="A-1", signed_by_both=True)
        emitter.access(subject="member:1")
    about_person = tenant.records(tenant.topics.events)
    assert len({record.key for record in about_person}) == 1
    assert [decode(record.value)[0].name for record in about_person] == ["fact", "activity"]
    (reference,) = tenant.records(tenant.topics.references)
    assert reference.key.decode() == fact_id
    assert decode(reference.value)[1]["body"][0] == "inzage.v1.AgreementSigned"


def test_numbers_are_contiguous_over_threads_and_refused_events_take_none(tenant: Tenant) -> None:
    with tenant.emitter() as emitter:

        def say(number: int) -> None:
            emitter.access(subject=f"member:{number % 20}", case_ref=str(number))
            with pytest.raises(ContractError, match="purpose"):
                emitter.access(subject="member:1", purpose="NO_SUCH")  # type: ignore[arg-type]

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(say, range(200)))
    events = tenant.events()
    assert sorted(event["source_sequence"] for event in events) == list(range(1, 201))
    assert len({event["source_instance"] for event in events}) == 1
    assert {event["case_ref"] for event in events} == {str(number) for number in range(200)}


def test_what_was_said_about_one_person_stays_in_order(tenant: Tenant) -> None:
    with tenant.emitter() as emitter:
        for number in range(300):
            emitter.access(subject="member:1", case_ref=str(number))
    assert [event["case_ref"] for event in tenant.events()] == [str(number) for number in range(300)]


def test_a_store_goes_on_counting(tenant: Tenant, tmp_path: Path) -> None:
    for _ in range(2):
        with tenant.emitter(sequence_store=tmp_path / "claims.sequence") as emitter:
            emitter.access(subject="member:1")
            emitter.access(subject="member:1")
    events = tenant.events()
    assert sorted(event["source_sequence"] for event in events) == [1, 2, 3, 4]
    assert len({event["source_instance"] for event in events}) == 1


def test_a_source_that_ends_says_so_with_its_last_number(tenant: Tenant) -> None:
    """One heartbeat for the topic it spoke on, after everything else, and the schema it is written with is logged."""
    with tenant.emitter() as emitter:
        for _ in range(3):
            emitter.access(subject="member:1")
        emitter.fact("ConsentGiven", subject="member:1", consent_ref="C-1", explicit=True)
        emitter.reference("AgreementSigned", agreement_ref="A-1", signed_by_both=True)
    (beat,) = tenant.heartbeats()
    (instance,) = {event["source_instance"] for event in tenant.events()}
    assert (beat["controller_id"], beat["source_system"], beat["source_instance"]) == (
        tenant.name,
        "claims",
        instance,
    )
    assert (beat["last_sequence"], beat["ended"], beat["period"]) == (4, True, 0)
    last = max(tenant.everything(tenant.topics.events), key=lambda record: record.timestamp)
    assert last.key.decode() == instance and "ce_sequence" not in dict(last.headers)
    assert current("heartbeat").fingerprint in {record.key.decode() for record in tenant.records(SCHEMAS)}


def test_numbers_that_are_given_as_an_emitter_gives_them_end_too(tenant: Tenant) -> None:
    """Others keep numbers of their own in the same way: once they are said, nobody waits for more."""
    line = {"event_type": "AccessEvent", "occurred_at": "2026-03-10T12:00:00Z", "subject": {"pseudonym": "P-1"}}
    kept = f"0190f0a0-0000-7000-8000-000000000001/{tenant.topics.events}"
    with tenant.emitter() as emitter:
        for instance, number in ((kept, 2), (kept, 1), ("lpar/2", 500)):
            emitter.emit({**line, "source_system": "vault", "source_instance": instance, "source_sequence": number})
    (beat,) = tenant.heartbeats()
    assert (beat["source_instance"], beat["source_system"], beat["last_sequence"]) == (kept, "vault", 2)
    assert beat["ended"] and beat["controller_id"] == tenant.name


def test_a_source_beats_while_it_says_nothing(tenant: Tenant) -> None:
    with tenant.emitter(heartbeat=0.2) as emitter:
        time.sleep(0.7)
        emitter.access(subject="member:1")
        time.sleep(0.5)
    beats = tenant.heartbeats()
    numbers = [beat["last_sequence"] for beat in beats]
    assert numbers[0] == 0 and numbers[-2:] == [1, 1] and len(numbers) >= 4 and numbers == sorted(numbers)
    assert [beat["ended"] for beat in beats] == [False] * (len(beats) - 1) + [True]
    assert {beat["period"] for beat in beats[:-1]} == {1}


def test_who_only_beat_says_that_it_ends(tenant: Tenant) -> None:
    with tenant.emitter(heartbeat=0.1):
        time.sleep(0.5)
    beats = tenant.heartbeats()
    assert len(beats) >= 2 and [beat["ended"] for beat in beats] == [False] * (len(beats) - 1) + [True]


def test_who_said_nothing_and_never_beat_need_not_say_that_it_ends(tenant: Tenant) -> None:
    with tenant.emitter() as emitter:
        emitter.reference("AgreementSigned", agreement_ref="A-1", signed_by_both=True)
    assert tenant.heartbeats() == []


def test_a_topic_that_is_not_there_is_no_matter_of_heartbeats(tenant: Tenant) -> None:
    """They are never what a flush waits for or what a close fails with."""
    none = f"none-{tenant.name}"
    started = time.monotonic()
    with Emitter(
        controller_id=none,
        source_system="claims",
        bootstrap_servers=tenant.servers,
        vault=SqlVault.passing(),
        heartbeat=0.1,
        block=20.0,
    ) as emitter:
        time.sleep(0.3)
        emitter.flush()
    assert time.monotonic() - started < 10


def test_numbers_stand_in_a_header_for_who_does_not_decode(tenant: Tenant) -> None:
    with tenant.emitter() as emitter:
        for number in range(20):
            emitter.access(subject=f"member:{number}")
    for record in tenant.records(tenant.topics.events):
        headers, (_, event) = dict(record.headers), decode(record.value)
        assert headers["ce_sequence"] == str(event["source_sequence"]).encode()
        assert headers["ce_source"] == f"claims/{event['source_instance']}".encode()


def test_pseudonyms_are_taken_as_they_are(tenant: Tenant) -> None:
    with tenant.emitter() as emitter:
        emitter.access(subject=Pseudonym("p_one"), actor=Actor(id=Pseudonym("p_two")))
    with tenant.emitter(vault=AlreadyPseudonyms()) as emitter:
        emitter.access(subject="p_one", actor=Actor(id="p_two"))
    assert {(event["subject"]["pseudonym"], event["actor"]["id"]) for event in tenant.events()} == {
        ("p_one", "p_two")
    }


def test_the_schemas_written_with_are_logged(tenant: Tenant) -> None:
    with tenant.emitter() as emitter:
        emitter.access(subject="member:1")
    logged = {record.key.decode(): json.loads(record.value) for record in tenant.records(SCHEMAS)}
    written = current("activity")
    assert logged[written.fingerprint]["sha256"] == written.sha256
    assert logged[written.fingerprint]["text"] == written.text


def test_what_the_broker_refuses_is_raised_at_the_end_and_told(narrow: Tenant) -> None:
    told: list[Delivery] = []
    emitter = narrow.emitter(on_delivery=told.append, compression=None)
    kept = emitter.access(subject="member:1")
    emitter.flush()
    lost = [emitter.access(subject="member:1", attachments=["x" * 3000]) for _ in range(2)]
    with pytest.raises(DeliveryError, match="2 messages") as caught:
        emitter.close()
    assert caught.value.failed == 2 and caught.value.first is not None
    assert [delivery.id for delivery in told if delivery.error] == lost
    assert kept in [delivery.id for delivery in told if delivery.offset is not None]
    assert [event["event_id"] for event in narrow.events()] == [kept]


def test_what_a_listener_raises_is_not_swallowed(tenant: Tenant) -> None:
    def listener(delivery: Delivery) -> None:
        raise RuntimeError("the listener failed")

    emitter = tenant.emitter(on_delivery=listener)
    emitter.access(subject="member:1")
    with pytest.raises(RuntimeError, match="the listener failed"):
        emitter.close()
    assert len(tenant.events()) == 1


def test_an_error_in_the_block_still_lets_out_what_was_said(tenant: Tenant) -> None:
    with pytest.raises(ZeroDivisionError), tenant.emitter() as emitter:
        emitter.access(subject="member:1")
        raise ZeroDivisionError
    assert len(tenant.events()) == 1


def test_the_largest_message_a_topic_takes_is_taken(tenant: Tenant) -> None:
    with tenant.emitter(compression=None) as emitter:
        with pytest.raises(ContractError, match="bytes"):
            emitter.access(subject="member:1", attachments=["x" * MAX_MESSAGE_BYTES])
        emitter.access(subject="member:1", attachments=["x" * (MAX_MESSAGE_BYTES - 1200)])
    assert [event["source_sequence"] for event in tenant.events()] == [1]


def test_a_missing_topic_is_an_error_and_is_not_made_in_passing(tenant: Tenant) -> None:
    emitter = tenant.emitter(block=1.0)
    emitter.access(subject="member:1")
    with pytest.raises(TransientError, match="not taken"):
        emitter.emit(
            {
                "event_type": "AccessEvent",
                "controller_id": f"none-{tenant.name}",
                "occurred_at": "2026-03-10T12:00:00Z",
                "subject": {"pseudonym": "P-1"},
            }
        )
    emitter.close()
    with pytest.raises(ConfigError, match="closed"):
        emitter.access(subject="member:1")
    admin = KafkaAdminClient(bootstrap_servers=tenant.servers)
    assert f"inzage.none-{tenant.name.lower()}.events.v1" not in admin.list_topics()
    admin.close()


def test_no_broker_is_a_transient_error_and_lets_go_of_the_store(unused_tcp_port: int, tmp_path: Path) -> None:
    for _ in range(2):
        with pytest.raises(TransientError, match="no Kafka broker"):
            Emitter(
                controller_id="CIGNA",
                source_system="claims",
                bootstrap_servers=f"127.0.0.1:{unused_tcp_port}",
                vault=SqlVault.passing(),
                sequence_store=tmp_path / "claims.sequence",
                block=1.0,
            )


@pytest.mark.parametrize(("controller", "source"), [("a b", "claims"), ("", "claims"), ("CIGNA", "")])
def test_names_that_cannot_be_are_refused_at_once(controller: str, source: str) -> None:
    with pytest.raises(ConfigError):
        Emitter(controller_id=controller, source_system=source, vault=SqlVault.passing())


def test_the_guide_runs(tenant: Tenant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = (ROOT / "docs" / "guide" / "emit.md").read_text()
    block = text.split("```python\n")[1].split("```")[0].replace('"CIGNA"', "controller")
    exec(compile(block, "emit.md", "exec"), {"brokers": tenant.servers, "controller": tenant.name})
    (event,) = tenant.events()
    assert event["legal_basis"] == "CONTRACT_PERFORMANCE" and event["actor"]["id"].startswith("p_")


def test_emit_sends_lines_and_dead_letters(
    tenant: Tenant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("INZAGE_KAFKA__BOOTSTRAP_SERVERS", tenant.servers)
    event = {"event_type": "AccessEvent", "occurred_at": "2026-03-10T12:00:00Z", "subject": {"pseudonym": "P-1"}}
    (tmp_path / "said.jsonl").write_text(json.dumps(event) + "\n{broken\n")
    for _ in range(2):
        with pytest.raises(SystemExit) as ended:
            main(["emit", "said.jsonl", "--controller", tenant.name, "--source-system", "claims", "-o", "json"])
        assert ended.value.code == 1
    events = tenant.events()
    assert [event["subject"]["pseudonym"] for event in events] == ["P-1", "P-1"]
    assert events[0]["event_id"] == events[1]["event_id"], "saying a file again says the same events"
    letters = [decode(record.value)[1] for record in tenant.records(tenant.topics.dead_letters)]
    assert {(letter["reason"], letter["value"], letter["offset"]) for letter in letters} == {
        ("contract.not-json", b"{broken", 2)
    }
    assert len({letter["dead_letter_id"] for letter in letters}) == 1


def test_import_fhir_sends_events_and_keeps_identifiers_home(
    tenant: Tenant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("INZAGE_KAFKA__BOOTSTRAP_SERVERS", tenant.servers)
    for release, code in (("r4", 0), ("r5", 1)):
        file = ROOT / "tests" / "data" / f"auditevents-{release}.ndjson"
        with pytest.raises(SystemExit) as ended:
            main(["import", "fhir", str(file), "--controller", tenant.name, "--source-system", "ehr"])
        assert (ended.value.code or 0) == code
    arrived = tenant.records(tenant.topics.events) + tenant.records(tenant.topics.dead_letters)
    assert len(arrived) == 9 + 3
    for record in arrived:
        for identifier in (b"Patient/p1", b"Peeters", b"90011234567", b"Practitioner/4"):
            assert identifier not in record.value
