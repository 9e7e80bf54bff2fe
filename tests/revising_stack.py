"""Runs worker, sink and reviser as processes on topics and tables of one test's own, with a small pack."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kafka import KafkaConsumer, KafkaProducer
from kafka.structs import TopicPartition

from inzage.deploy.local.clickhouse.endpoint import Endpoint
from inzage.deploy.local.kafka import Broker
from inzage.schemas import codec, json_face
from inzage.schemas.topics import LAW_REFERENCES, Theme
from inzage.streams.transport.publisher import partition_of
from tests.trail_stack import Stack, stack_on

WITHIN = 180.0
"""Seconds until something said must be in the trail."""

PACK = """
pack: {name}
version: test.1
title: Three promises
source: this test
base_event:
  event_id: example
  event_type: DisclosureEvent
  occurred_at: 2026-03-02T11:00:00+01:00
  recorded_at: 2026-03-02T11:00:30+01:00
  controller_id: {name}
  source_system: TEST
  actor: {{}}
  subject: {{pseudonym: S}}
entries:
  - id: TEST-01
    heading: The employer
    promise: The employer learns nothing without consent.
    articles: ["9"]
    severity: HIGH
    theme: employer
    kind: JOIN
    violated_when: to_employer AND NOT consent_to_recipient
    reason: NO_CONSENT
    explanation: The employer received data without consent.
    facts: [consents]
    examples:
      violates: [{{title: to the employer, event: {{recipient: {{org_id: ORG-EMP, category: EMPLOYER}}}}}}]
      complies: [{{title: to nobody, result: OK}}]
  - id: TEST-02
    heading: Transfers
    promise: Data go to adequate countries.
    articles: ["45"]
    severity: HIGH
    theme: transfer
    kind: JOIN
    violated_when: transfer.destination_country IS NOT NULL AND NOT in_eea AND NOT adequate
    reason: NOT_ADEQUATE
    explanation: The country is not adequate.
    facts: [adequacy]
    examples:
      violates: [{{title: to Kenya, event: {{transfer: {{destination_country: KE}}}}}}]
      complies: [{{title: nowhere, result: OK}}]
  - id: TEST-03
    heading: Breaches
    promise: What is confirmed is decided about within a day.
    articles: ["33"]
    severity: CRITICAL
    theme: accountability
    kind: STATEFUL
    violated_when: ifNull(event_type = 'PolicyViolationConfirmed' AND now >= confirmed_at + toIntervalHour(24), 0)
    due: if(event_type = 'PolicyViolationConfirmed', confirmed_at + toIntervalHour(24), NULL)
    reason: NOT_DECIDED
    explanation: Nothing was decided within a day.
    examples:
      violates:
        - title: two days ago
          event: {{event_type: PolicyViolationConfirmed, confirmed_at: 2026-02-28T11:00:00+01:00}}
      complies: [{{title: another event, result: OK}}]
"""

Verdict = tuple[str, str, str, int]
"""Event, rule, result and revision."""


@dataclass
class Process:
    """One process of the installation."""

    command: list[str]
    env: Mapping[str, str]
    log: Path
    running: subprocess.Popen[bytes] | None = None

    def start(self, **env: str) -> None:
        with self.log.open("ab") as log:
            self.running = subprocess.Popen(self.command, env={**self.env, **env}, stderr=log, stdout=log)

    def wait(self, within: float = WITHIN) -> int:
        assert self.running is not None
        return self.running.wait(within)

    def stop(self, *, kill: bool = False) -> None:
        if self.running is None or self.running.poll() is not None:
            return
        self.running.kill() if kill else self.running.terminate()
        try:
            self.running.wait(60)
        except subprocess.TimeoutExpired:
            self.running.kill()
            self.running.wait(60)


@dataclass
class Installation:
    """A controller with its pack and processes; nothing runs yet."""

    stack: Stack
    processes: dict[str, Process] = field(default_factory=dict)
    partitions: int = 2

    @property
    def controller(self) -> str:
        return self.stack.controller

    def say(self, *faces: Mapping[str, Any]) -> None:
        """Say events, facts and references, each in its JSON face, one after the other; each is acknowledged."""
        producer = KafkaProducer(bootstrap_servers=self.stack.settings.kafka.bootstrap_servers)
        try:
            for topic, partition, key, message in map(self._record, faces):
                producer.send(topic, message, key, partition=partition).get(timeout=30)
                if key is None:
                    time.sleep(0.005)  # a broker's time is in milliseconds: what follows is later
        finally:
            producer.close()

    def _record(self, face: Mapping[str, Any]) -> tuple[str, int, bytes | None, bytes]:
        kind = "event" if "event_type" in face else "fact"
        said = json_face.read({kind: dict(face)}, controller_id=self.controller, strict=False)
        message = codec.encode(said.kind, said.record)
        if said.kind == "reference":
            law = said.record["controller_id"].upper() == "LAW"
            return (LAW_REFERENCES if law else self.stack.topics.references), 0, None, message
        subject = said.record["subject"]["pseudonym"] if said.kind == "activity" else said.record["subject"]
        return self.stack.topics.events, partition_of(subject.encode(), self.partitions), subject.encode(), message

    @property
    def packs(self) -> Path:
        return Path(self.processes["worker"].env["INZAGE_PACKS_DIR"])

    def start(self, *names: str) -> None:
        for name in names:
            self.processes[name].start()

    def verdicts(self) -> list[Verdict]:
        """What the trail holds, every revision once."""
        rows = self.stack.rows("SELECT DISTINCT event_id, rule_id, result, revision FROM trail.verdicts")
        return sorted((str(event), str(rule), str(result), int(number)) for event, rule, result, number in rows)

    def current(self) -> dict[tuple[str, str], str]:
        rows = self.stack.rows("SELECT event_id, rule_id, result FROM trail.current_verdicts")
        return {(event, rule): result for event, rule, result in rows}

    def until(self, reached: Callable[[], bool], within: float = WITHIN) -> None:
        """Wait until `reached`; the processes that run must stay alive."""
        deadline = time.monotonic() + within
        while not reached():
            for name, process in self.processes.items():
                if process.running is not None and process.running.poll() not in (None, 0):
                    raise AssertionError(f"{name} ended: {process.log.read_text()[-2000:]}")
            if time.monotonic() > deadline:
                logs = {name: process.log.read_text()[-1500:] for name, process in self.processes.items()}
                raise AssertionError(f"not reached; the trail holds {self.verdicts()}; {json.dumps(logs, indent=1)}")
            time.sleep(0.2)

    def on_violations(self, theme: Theme) -> list[tuple[str, int]]:
        """Event and revision of each record of the theme's topic, as a listener finds them."""
        topic = self.stack.topics.violations(theme)
        consumer = KafkaConsumer(bootstrap_servers=self.stack.settings.kafka.bootstrap_servers)
        try:
            place = TopicPartition(topic, 0)
            consumer.assign([place])
            consumer.seek_to_beginning(place)
            end = consumer.end_offsets([place])[place]
            found = []
            while consumer.position(place) < end:
                for records in consumer.poll(timeout_ms=500).values():
                    found += [codec.decode(record.value)[1] for record in records]
        finally:
            consumer.close()
        return [(verdict["event_id"], verdict["revision"]) for verdict in found]


@contextmanager
def installation(broker: Broker, clickhouse: Endpoint, folder: Path, every: float = 0.5) -> Iterator[Installation]:
    """An installation of one controller; its processes are ended with it. What was said of the law before is gone."""
    with stack_on(broker, clickhouse, ledger=True) as stack:
        name = stack.controller
        packs = folder / "packs"
        packs.mkdir()
        (packs / f"{name.lower()}.yaml").write_text(PACK.format(name=name), encoding="utf-8")
        env = {
            **os.environ,
            "INZAGE_CONTROLLERS": json.dumps([name]),
            "INZAGE_DATA_DIR": str(folder),
            "INZAGE_PACKS_DIR": str(packs),
            "INZAGE_KAFKA__BOOTSTRAP_SERVERS": stack.settings.kafka.bootstrap_servers,
            "INZAGE_KAFKA__PARTITIONS": "2",
            "INZAGE_CLICKHOUSE__URL": stack.settings.clickhouse.url,
            "INZAGE_CLICKHOUSE__DATABASE": stack.database,
        }
        inzage = [sys.executable, "-m", "inzage.console.main"]
        commands = {"worker": ["worker"], "sink": ["sink"], "reviser": ["reviser", "--every", str(every)]}
        processes = {
            name: Process([*inzage, *arguments], env, folder / f"{name}.log") for name, arguments in commands.items()
        }
        try:
            yield Installation(stack, processes)
        finally:
            for process in processes.values():
                process.stop()
