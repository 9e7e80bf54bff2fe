"""Measures how long a hypothesis takes over five million events: an adequacy decision annulled, and a pack tried.

    python -m benchmarks.whatif [--rows 5000000] [--logs 4]

The rows are made by the writer's own encoder and are not sealed. Most disclosures stay in the EEA, four in a hundred
go to Switzerland. One JSON line on stdout: seconds of `inzage whatif`, starting Python included, and the
processor time of that process, in which the predicates are evaluated.
"""

from __future__ import annotations

import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

import typer

from inzage.deploy.local.clickhouse.access import Access
from inzage.deploy.local.clickhouse.endpoint import Endpoint
from inzage.deploy.local.kafka import Broker
from inzage.deploy.local.topics import ensure_topics
from inzage.schemas import codec, json_face
from inzage.schemas.settings import Settings
from inzage.schemas.topics import ControllerTopics
from inzage.sinks.block import blocks_of
from inzage.sinks.connection import open_clickhouse
from inzage.sinks.leaf import headers_bytes, leaf_bytes, leaf_hash
from inzage.sinks.logs import Log, Said, Topic
from inzage.sinks.row import Leaf
from inzage.sinks.trail import Trail

CONTROLLER, CLUSTER, TOPIC_ID = "CIGNA", "bench", "00000000-0000-0000-0000-000000000001"
BLOCK = 49_152
DISTINCT = 2_000
BEGAN = datetime(2026, 3, 1, tzinfo=UTC)
COUNTRIES, WEIGHTS = ("BE", "FR", "DE", "CH", "KE"), (60, 20, 15, 4, 1)
AIM_SECONDS = 60.0
_HEADERS = headers_bytes([("ce_specversion", b"1.0")])


def main(
    rows: Annotated[int, typer.Option(help="Rows of the trail.")] = 5_000_000,
    logs: Annotated[int, typer.Option(help="Partitions they are in.")] = 4,
) -> None:
    """Fill a trail, then suppose something of it, twice."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        with (
            Broker(data / "broker", heap_megabytes=256) as broker,  # a look at the trail is an event
            Endpoint(data / "clickhouse", access=Access.EVERYTHING, fsync=False) as endpoint,
        ):
            kafka = {"bootstrap_servers": broker.bootstrap_servers}
            clickhouse = {"url": endpoint.url}
            settings = Settings(controllers=(CONTROLLER,), data_dir=data, kafka=kafka, clickhouse=clickhouse)
            ensure_topics(settings, [CONTROLLER])
            client = open_clickhouse(settings.clickhouse, answer_within=300)
            _fill(Trail(client, settings.clickhouse.database), rows, logs)
            annulled = _suppose(settings, "--annul-adequacy", "CH")
            tried = _suppose(settings, "--packs", str(_packs(data / "packs")), "--rule", "CIGNA-69")
    said = {"benchmark": "whatif", "rows": rows, "logs": logs}
    measured = {f"annulled_{name}": value for name, value in annulled.items()}
    measured |= {f"tried_{name}": value for name, value in tried.items()}
    sys.stdout.write(json.dumps({**said, **measured}) + "\n")
    raise typer.Exit(1 if max(annulled["seconds"], tried["seconds"]) > AIM_SECONDS else 0)


def _fill(trail: Trail, rows: int, logs: int) -> None:
    draw = random.Random(1)
    known = [_event(draw, number) for number in range(DISTINCT)]
    topic = Topic(ControllerTopics(CONTROLLER).events, Said.EVENTS, CONTROLLER)
    for partition in range(logs):
        log = Log(topic, partition, CLUSTER, TOPIC_ID)
        for leaves in _leaves(draw, known, rows // logs):
            for block in blocks_of(log, 0, leaves, {})[0]:
                trail.client.raw_insert(f"inzage.{block.table.name}", insert_block=block.body, fmt="Avro")
        sys.stderr.write(f"{(partition + 1) * (rows // logs):,} rows\n")


def _leaves(draw: random.Random, known: list[tuple[bytes, bytes, slice]], count: int) -> Iterator[list[Leaf]]:
    began = int((BEGAN + timedelta(hours=1)).timestamp() * 1000)
    for first in range(0, count, BLOCK):
        made = []
        for offset in range(first, min(first + BLOCK, count)):
            key, message, place = known[offset % DISTINCT]
            identifier = str(uuid.UUID(int=draw.getrandbits(128))).encode()
            value = message[: place.start] + identifier + message[place.stop :]
            hashed = leaf_hash(leaf_bytes(offset, 1, began + offset, key, value, _HEADERS))
            made.append(Leaf(offset, began + offset, 1, key, value, _HEADERS, hashed))
        yield made


def _event(draw: random.Random, number: int) -> tuple[bytes, bytes, slice]:
    """Key and message of an event, and where its id stands in the message."""
    identifier, subject = str(uuid.UUID(int=draw.getrandbits(128))), f"SUB-{draw.getrandbits(48):012x}"
    country = draw.choices(COUNTRIES, WEIGHTS)[0]
    face = {
        "event_id": identifier,
        "event_type": "DisclosureEvent",
        "occurred_at": (BEGAN + timedelta(seconds=number)).isoformat(),
        "source_system": "claims",
        "outcome": "SUCCESS",
        "action": "DISCLOSE",
        "actor": {
            "id": f"ACT-{draw.randrange(3000)}",
            "type": "HUMAN",
            "role": "CLAIMS_HANDLER",
            "org_id": "ORG-OWN",
        },
        "subject": {"pseudonym": subject, "relation": "INSURED_EMPLOYEE"},
        "recipient": {
            "org_id": f"ORG-{draw.randrange(400)}",
            "category": "HEALTHCARE_PROVIDER",
            "establishment_country": country,
            "processing_country": country,
        },
        "data_categories": ["IDENTITY", "HEALTH_PHYSICAL"],
        "purpose": "CLAIMS_HANDLING",
        "legal_basis": "CONTRACT_PERFORMANCE",
        "case_ref": f"CASE-{draw.randrange(10**6)}",
    }
    message = codec.encode("activity", json_face.read({"event": face}, controller_id=CONTROLLER).record)
    begin = message.index(identifier.encode())
    return subject.encode(), message, slice(begin, begin + len(identifier))


def _packs(folder: Path) -> Path:
    """The packs as they are, in a folder of their own."""
    folder.mkdir()
    for file in files("inzage.streams").joinpath("policies").iterdir():
        if file.name.endswith(".yaml"):
            (folder / file.name).write_text(file.read_text(encoding="utf-8"), encoding="utf-8")
    return folder


def _suppose(settings: Settings, *supposed: str) -> dict[str, Any]:
    """Seconds, processor time and what was found of one `inzage whatif`."""
    environment = {
        **os.environ,
        "INZAGE_CONTROLLERS": json.dumps([CONTROLLER]),
        "INZAGE_DATA_DIR": str(settings.data_dir),
        "INZAGE_KAFKA__BOOTSTRAP_SERVERS": settings.kafka.bootstrap_servers,
        "INZAGE_CLICKHOUSE__URL": settings.clickhouse.url,
    }
    command = [sys.executable, "-m", "inzage.console.main", "whatif", *supposed, "--output", "json"]
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert ended.returncode in (0, 1), ended.stderr
    report = json.loads(ended.stdout)[CONTROLLER]
    return {
        "seconds": round(time.monotonic() - began, 1),
        "cpu_seconds": round(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, 1),
        "judged": report["judged"],
        "violated": report["violated"]["events"],
    }


if __name__ == "__main__":
    typer.run(main)
