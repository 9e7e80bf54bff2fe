"""Kills the worker and the sink in mid-stream: every event and every verdict is in the trail exactly once."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import clickhouse_connect
import pytest

from inzage.deploy.local.clickhouse.access import Access
from inzage.deploy.local.clickhouse.endpoint import Endpoint
from inzage.deploy.local.kafka import Broker
from inzage.deploy.local.topics import ensure_topics
from inzage.schemas.emitter import AlreadyPseudonyms, Emitter
from inzage.schemas.json_lines import read_lines
from inzage.schemas.settings import Settings
from inzage.streams.screening.examples import merged
from inzage.streams.screening.offline import OfflineScreening
from inzage.streams.screening.pack import policies_of

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

EVENTS = 3_000
KILLS = 3
WITHIN = 240.0  # seconds until everything said must be in the trail


def _lines(controller: str) -> Iterator[dict[str, Any]]:
    """References first, then events of which some violate; consents and withdrawals stand between them."""
    pack = policies_of("CIGNA").own
    for number, fact in enumerate(pack.base_facts):
        yield {
            "fact": {
                "recorded_at": "2026-01-01T00:00:00Z",
                **fact,
                "controller_id": controller,
                "fact_id": f"f{number}",
            }
        }
    chance = random.Random(7)
    for number in range(EVENTS):
        person = f"SUB-{number % 200}"
        at = f"2026-03-02T10:{number // 60 % 60:02}:{number % 60:02}Z"
        if number % 23 == 0:
            consent = {"type": "ConsentGiven", "consent_ref": f"C-{number}", "subject": person, "explicit": True}
            scope = {"recipient_org_ids": ["ORG-EMPLOYER"], "data_categories": None, "purposes": None}
            yield {"fact": {**consent, "fact_id": f"c{number}", "recorded_at": at, "given_at": "2026-01-02T00:00:00Z",
                            "scope": scope, "controller_id": controller}}  # fmt: skip
        change = chance.choice(
            (
                {"recipient": None, "event_type": "AccessEvent", "action": "READ"},
                {"purpose": "MARKETING", "recipient": None},
                {
                    "recipient": {"org_id": "ORG-EMPLOYER", "category": "EMPLOYER"},
                    "data_categories": ["HEALTH_PHYSICAL"],
                },
            )
        )
        base = {**pack.base_event, "occurred_at": at, "recorded_at": at, "controller_id": controller}
        event_id = str(uuid.UUID(int=chance.getrandbits(128)))
        yield {"event": merged(base, {**change, "event_id": event_id, "subject": {"pseudonym": person}})}


class _Child:
    """A process of the installation that is started again whenever it ends, as its supervisor would."""

    def __init__(self, command: str, environment: dict[str, str], log: Path) -> None:
        self._argv = [sys.executable, "-m", "inzage.console.main", command]
        self._environment, self._log = environment, log
        self.process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        with self._log.open("ab") as log:
            return subprocess.Popen(self._argv, env=self._environment, stderr=log, stdout=log)

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(60)
        self.process = self._start()

    def tend(self) -> None:
        if self.process.poll() is not None:
            self.process = self._start()

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(60)


@pytest.fixture
def controller() -> str:
    return "CIGNA"


@cache
def by_clock() -> frozenset[str]:
    """The entries that time alone can break."""
    return frozenset(rule.entry.id for rule in policies_of("CIGNA").rules if rule.due)


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_kills_lose_nothing_and_repeat_nothing(
    tmp_path: Path, clickhouse_factory: Callable[..., Endpoint], controller: str
) -> None:
    """Whatever is killed when, the trail holds each offset once and each verdict that the policies give, once."""
    lines = list(_lines(controller))
    expected = OfflineScreening().screen(read_lines(map(json.dumps, lines), controller_id=controller))
    assert not expected.refused
    # The reviser is not part of this: first judgements, and not of the clock, which stands elsewhere in each.
    first = [
        verdict for verdict in expected.verdicts if not verdict["revision"] and verdict["rule_id"] not in by_clock()
    ]
    wanted = sorted((verdict["event_id"], verdict["rule_id"], verdict["result"]) for verdict in first)
    with Broker(tmp_path / "kafka", heap_megabytes=256) as broker:
        endpoint = clickhouse_factory(tmp_path / "clickhouse", access=Access.APPEND_ONLY, migrate=True)
        settings = Settings(
            controllers=(controller,),
            data_dir=tmp_path,
            kafka={"bootstrap_servers": broker.bootstrap_servers, "partitions": 3},
            clickhouse={"url": endpoint.url},
        )
        ensure_topics(settings, settings.controllers)
        environment = {
            **os.environ,
            "INZAGE_CONTROLLERS": json.dumps([controller]),
            "INZAGE_KAFKA__BOOTSTRAP_SERVERS": broker.bootstrap_servers,
            "INZAGE_KAFKA__PARTITIONS": "3",
            "INZAGE_DATA_DIR": str(tmp_path),
            "INZAGE_CLICKHOUSE__URL": endpoint.url,
        }
        children = [_Child(name, environment, tmp_path / f"{name}.log") for name in ("worker", "sink")]
        try:
            _emit(settings, controller, lines, children)
            client = clickhouse_connect.get_client(host=endpoint.host, port=endpoint.port, database="inzage")
            found = _settled(client, children, len(lines), wanted)
        finally:
            for child in children:
                child.stop()
    assert found == wanted


def _emit(settings: Settings, controller: str, lines: list[dict[str, Any]], children: list[_Child]) -> None:
    chance = random.Random(3)
    with Emitter(
        controller_id=controller, source_system="TEST", settings=settings, vault=AlreadyPseudonyms()
    ) as emitter:
        for number, line in enumerate(lines):
            emitter.emit(line)
            if number + 1 == len(policies_of("CIGNA").own.base_facts):
                emitter.flush()  # the references are in before what rests on them
                time.sleep(4)
            if number and number % (len(lines) // (2 * KILLS)) == 0:
                emitter.flush()
                time.sleep(chance.uniform(0.2, 3.5))
                children[chance.randrange(2)].kill()
    for child in children:
        child.kill()


def _settled(client: Any, children: list[_Child], said: int, wanted: list[Any]) -> list[Any]:
    """The verdicts in the trail once it holds every offset exactly once; waits while work is going on."""
    deadline = time.monotonic() + WITHIN
    found: list[Any] = []
    while time.monotonic() < deadline:
        time.sleep(1)
        for child in children:
            child.tend()
        rows, places = client.query(
            "SELECT count(), uniqExact(topic, partition, offset) FROM log WHERE topic LIKE '%.cigna.events.v1'"
            " AND kept_in != 'heartbeats'"
        ).result_rows[0]
        assert rows == places
        verdicts = client.query("SELECT event_id, rule_id, result FROM current_verdicts").result_rows
        found = sorted(tuple(row) for row in verdicts if row[1] not in by_clock())
        references = client.query("SELECT count() FROM references").result_rows[0][0]
        if rows + references == said and len(found) >= len(wanted):
            break
    return found
