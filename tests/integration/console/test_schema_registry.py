"""Both framings on one topic, through every process: said by our emitters and by a producer that is not ours."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
from collections.abc import Collection, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from fastavro import parse_schema, schemaless_writer
from kafka import KafkaProducer

from inzage.deploy.local.clickhouse.endpoint import Endpoint
from inzage.deploy.local.kafka import Broker
from inzage.schemas import codec, json_face
from inzage.schemas.emitter import AlreadyPseudonyms, Emitter
from inzage.schemas.settings import SchemaRegistrySettings, Settings
from inzage.sinks.completeness.watch import Watch
from inzage.sinks.logs import topics_of
from inzage.sinks.sealing.process import watch_of
from inzage.streams.transport.publisher import partition_of
from tests.integration.console.test_late_facts import to_country, to_employer
from tests.revising_stack import Installation, installation
from tests.stand_in_registry import StandInRegistry, stand_in_registry

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.timeout(300)]

BOTH = ("registry", "plain")
ACTIVITY = "inzage.v1.Activity"


@pytest.fixture
def registry() -> Iterator[StandInRegistry]:
    with stand_in_registry(password=("inzage", "s3cret")) as running:
        yield running


@pytest.fixture
def running(
    broker: Broker, clickhouse: Endpoint, registry: StandInRegistry, tmp_path: Path
) -> Iterator[Installation]:
    (tmp_path / "password").write_text("s3cret\n")
    (tmp_path / "password").chmod(0o600)
    stated = SchemaRegistrySettings(url=registry.url, username="inzage", password_file=tmp_path / "password")
    with installation(broker, clickhouse, tmp_path) as made:
        made.stack.settings = made.stack.settings.model_copy(update={"schema_registry": stated})
        for process in made.processes.values():
            process.env = {
                **process.env,
                "INZAGE_SCHEMA_REGISTRY__URL": registry.url,
                "INZAGE_SCHEMA_REGISTRY__USERNAME": "inzage",
                "INZAGE_SCHEMA_REGISTRY__PASSWORD_FILE": str(tmp_path / "password"),
            }
        yield made


def emitter(installation: Installation, framing: str) -> Emitter:
    settings: Settings = installation.stack.settings
    if framing == "plain":
        settings = settings.model_copy(update={"schema_registry": None})
    return Emitter(
        controller_id=installation.controller,
        source_system=framing,
        settings=settings,
        vault=AlreadyPseudonyms(),
        heartbeat=0.5,
    )


def evolved() -> dict[str, Any]:
    """Our activity as somebody else may have made more of it: a field more, one less, a symbol we do not have."""
    source = json.loads(codec.current("activity").text)
    fields = [one for one in source["fields"] if one["name"] not in ("register_ref", "schema_version")]
    next(one for one in fields if one["name"] == "event_type")["type"]["symbols"].append("TeaServed")
    fields.append({"name": "shift", "type": "string"})
    return {**source, "fields": fields}


def produce(installation: Installation, identifier: int, source: dict[str, Any], *events: dict[str, Any]) -> None:
    """Say events as any Confluent client does: a zero byte, the id in four bytes, the datum."""
    producer = KafkaProducer(bootstrap_servers=installation.stack.settings.kafka.bootstrap_servers)
    try:
        for event in events:
            record = json_face.read({"event": event}, controller_id=installation.controller, strict=False).record
            record |= {"source_instance": "theirs", "event_type": event.get("theirs", record["event_type"])}
            buffer = BytesIO()
            buffer.write(struct.pack(">bI", 0, identifier))
            schemaless_writer(buffer, parse_schema(source), {**record, "shift": "night", "weather": "rain"})
            key = record["subject"]["pseudonym"].encode()
            place = partition_of(key, installation.partitions)
            topic = installation.stack.topics.events
            producer.send(topic, buffer.getvalue(), key, partition=place).get(timeout=30)
    finally:
        producer.close()


def run(installation: Installation, *arguments: str, **env: str) -> tuple[int, str, str]:
    command = [sys.executable, "-m", "inzage.console.main", *arguments]
    environment = {**installation.processes["worker"].env, **env}
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    return ended.returncode, ended.stdout, ended.stderr


def without_registry(installation: Installation) -> dict[str, str]:
    return {
        name: text for name, text in installation.processes["worker"].env.items() if "SCHEMA_REGISTRY" not in name
    }


def consent(subject: str, **said: Any) -> dict[str, Any]:
    return {
        "type": "ConsentGiven",
        "fact_id": f"given-{subject}",
        "consent_ref": f"C-{subject}",
        "subject": subject,
        "explicit": True,
        "given_at": "2026-03-01T00:00:00Z",
        "recorded_at": "2026-03-01T00:00:00Z",
        "scope": {"recipient_org_ids": ["ORG-EMP"], "data_categories": None, "purposes": None},
        **said,
    }


async def test_both_framings_are_one_trail(running: Installation, registry: StandInRegistry, tmp_path: Path) -> None:
    stack = running.stack
    running.start("worker", "sink", "reviser")
    theirs = registry.add(json.dumps(evolved()))
    for framing in BOTH:
        with emitter(running, framing) as said:
            person = f"SUB-{framing}"
            said.emit({"fact": consent(f"{person}-with")})
            said.emit({"event": to_employer(f"{framing}-with", subject={"pseudonym": f"{person}-with"})})
            said.emit({"event": to_employer(f"{framing}-without", subject={"pseudonym": f"{person}-without"})})
            said.emit({"event": to_country(f"{framing}-KE", "KE", subject={"pseudonym": person})})
            # the same event by both is delivered again, and judged once
            said.emit({"event": to_employer("twice", subject={"pseudonym": "SUB-twice"}, source_system="crm",
                                            source_instance="crm/1", source_sequence=1)})  # fmt: skip
    produce(
        running,
        theirs,
        evolved(),
        to_employer("theirs", subject={"pseudonym": "SUB-theirs"}),
        to_employer("theirs-new", subject={"pseudonym": "SUB-theirs"}, theirs="TeaServed"),
    )
    produce(running, 77, evolved(), to_employer("nobody", subject={"pseudonym": "SUB-nobody"}))
    wanted = {
        **{(f"{framing}-without", "TEST-01"): "VIOLATION" for framing in BOTH},
        **{(f"{framing}-KE", "TEST-02"): "VIOLATION" for framing in BOTH},
        ("twice", "TEST-01"): "VIOLATION",
        ("theirs", "TEST-01"): "VIOLATION",
        ("theirs-new", "TEST-01"): "VIOLATION",
    }
    running.until(lambda: wanted.items() <= running.current().items())
    running.until(lambda: stack.rows("SELECT count() FROM trail.events") == [(10,)])
    running.until(lambda: len(stack.rows("SELECT stage FROM trail.dead_letters")) == 2)
    assert running.current() == wanted
    dead = stack.rows("SELECT DISTINCT reason, message FROM trail.dead_letters")
    assert [reason for reason, _ in dead] == ["contract.unknown-registry-id"] and "77" in dead[0][1]

    # the column names what the message names; nothing was asked twice by one process
    ours = registry.subjects[ACTIVITY][0]
    named = dict(stack.rows("SELECT event_id, schema_fingerprint FROM trail.events"))
    assert named["registry-KE"] == f"registry:{ours}"
    assert named["plain-KE"] == codec.current("activity").fingerprint
    assert named["theirs"] == f"registry:{theirs}"
    asked = [line for line in registry.asked if line == f"GET /schemas/ids/{theirs}"]
    assert 1 <= len(asked) <= 3, "worker, sink and reviser, once each"
    assert stack.rows(
        "SELECT event_type, schema_version FROM trail.events WHERE event_id IN ('theirs', 'theirs-new')"
        " ORDER BY event_id"
    ) == [("DisclosureEvent", "1.0"), ("UNKNOWN", "1.0")]
    assert len(stack.rows(f"SELECT text FROM trail.schemas WHERE registry_id = {theirs}")) >= 1

    # a late fact judges again what was said in either framing
    with emitter(running, "plain") as said:
        for subject in ("SUB-registry-without", "SUB-theirs"):
            said.emit({"fact": consent(subject)})
    lifted = [("registry-without", "TEST-01"), ("theirs", "TEST-01")]
    running.until(lambda: not {*lifted} & running.current().keys() or all(
        running.current().get(one) == "OK" for one in lifted))  # fmt: skip
    assert running.current()["plain-without", "TEST-01"] == "VIOLATION"

    # while the registry is away, what it must be asked for waits: no dead letter
    newer = evolved()
    newer["fields"][-1]["name"] = "weather"
    later = registry.add(json.dumps(newer))
    asked_before = len(registry.asked)
    registry.away = True
    produce(running, later, newer, to_employer("waits", subject={"pseudonym": "SUB-waits"}))
    running.until(lambda: len(registry.asked) >= asked_before + 4)
    assert stack.rows("SELECT count() FROM trail.dead_letters") == [(2,)]
    registry.away = False
    running.until(lambda: ("waits", "TEST-01") in running.current())
    running.until(lambda: stack.rows("SELECT count() FROM trail.events WHERE event_id = 'waits'") == [(1,)])
    assert stack.rows("SELECT count() FROM trail.dead_letters") == [(2,)]

    # from here on nobody has a registry: not the auditor, not the verifier
    for process in running.processes.values():
        process.stop()
    registry.away = True
    env = without_registry(running)
    for process in running.processes.values():
        process.env = env
    stack.settings = stack.settings.model_copy(update={"schema_registry": None})
    watches: list[Watch] = []

    def watch(not_whole: Collection[str]) -> Watch:
        watches.append(watch_of(stack.cluster(), topics_of([stack.controller]), not_whole))
        return watches[0]

    asked_before = len(registry.asked)
    await stack.seal(tmp_path, completeness=watch)
    sources = watches[0].state()[stack.topics.events]["sources"]
    ended = {source["system"] for source in sources.values() if source["ended"]}
    assert ended == set(BOTH), "the sealer reads heartbeats in either framing"
    await stack.keep_sealed()
    code, out, err = run(running, "verify", "-o", "json")
    assert code == 0, out + err
    key = str(tmp_path / "sealer" / "key.pub")
    for identifier in ("registry-KE", "theirs", "plain-KE"):
        proof = tmp_path / f"{identifier}.proof"
        code, _, err = run(running, "prove", identifier, "-o", str(proof))
        assert code == 0, err
        code, out, err = run(running, "check-proof", str(proof), "--key", key, "--output", "json")
        assert code == 0, err
        found = json.loads(out)
        assert json.loads(json.dumps(found["event"]))["Activity"]["event_id"] == identifier
        assert "log of the schemas" in found["schema_from"]
    code, out, err = run(running, "gaps", "-o", "json")
    assert code in (0, 1), err
    code, out, err = run(running, "whatif", "--annul-adequacy", "NZ", "--from", "2026-01-01", "-o", "json")
    assert code in (0, 1), err
    assert len(registry.asked) == asked_before
