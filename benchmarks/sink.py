"""Measures how many events a second the sink brings into the trail: sink on one core, broker and engine on another.

    python -m benchmarks.sink [--events 400000] [--partitions 4]

One JSON line on stdout. `events_per_second` is taken between the first and the last row seen; `per_cpu_second` is
what each process could do if it had its core to itself, which a shared machine does not disturb.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from aiokafka import AIOKafkaProducer

from inzage.deploy.local.clickhouse.endpoint import Endpoint
from inzage.deploy.local.kafka import Broker
from inzage.deploy.local.topics import ensure_topics
from inzage.schemas import codec, json_face
from inzage.schemas.framing import SINGLE_OBJECT_BYTES
from inzage.schemas.settings import Settings
from inzage.schemas.topics import ControllerTopics
from inzage.sinks.connection import open_clickhouse

CONTROLLER = "BENCH"
SINK_CORE, STORE_CORE = 0, 1
DISTINCT = 5_000  # events encoded; each sent event still has an id of its own
GIVE_UP = 600.0  # seconds

_ID = slice(SINGLE_OBJECT_BYTES + 1, SINGLE_OBJECT_BYTES + 37)


def main(
    events: Annotated[int, typer.Option(help="Events on the topic.")] = 400_000,
    partitions: Annotated[int, typer.Option(help="Partitions of the topic.")] = 4,
) -> None:
    """Fill a topic, then let the sink empty it."""
    os.sched_setaffinity(0, {STORE_CORE})  # inherited by broker and engine
    with tempfile.TemporaryDirectory() as folder:
        broker = Broker(Path(folder) / "kafka", heap_megabytes=512)
        endpoint = Endpoint(Path(folder) / "clickhouse")
        with broker, endpoint:
            settings = Settings(
                controllers=(CONTROLLER,),
                kafka={"bootstrap_servers": broker.bootstrap_servers, "partitions": partitions},
                data_dir=Path(folder),
                clickhouse={"url": endpoint.url},
            )
            ensure_topics(settings, [CONTROLLER])
            size = asyncio.run(_fill(settings, events, partitions))
            measured = _measure(settings, endpoint, events)
    said = {"benchmark": "sink", "events": events, "bytes_per_event": size, "partitions": partitions}
    sys.stdout.write(json.dumps({**said, **measured}) + "\n")


def _measure(settings: Settings, endpoint: Endpoint, events: int) -> dict[str, Any]:
    environment = {
        **os.environ,
        "INZAGE_CONTROLLERS": json.dumps([CONTROLLER]),
        "INZAGE_KAFKA__BOOTSTRAP_SERVERS": settings.kafka.bootstrap_servers,
        "INZAGE_DATA_DIR": str(settings.data_dir),
        "INZAGE_CLICKHOUSE__URL": endpoint.url,
    }
    client = open_clickhouse(settings.clickhouse, answer_within=60)
    assert endpoint.pid
    sink_before = engine_before = 0.0
    command = ["taskset", "-c", str(SINK_CORE), sys.executable, "-m", "inzage.console.main", "sink"]
    sink = subprocess.Popen(command, env=environment)
    try:
        seen: list[tuple[float, int]] = []
        give_up = time.monotonic() + GIVE_UP
        while not seen or seen[-1][1] < events:
            time.sleep(0.2)
            rows = int(client.query("SELECT count() FROM inzage.events").result_rows[0][0])
            if rows and not seen:
                sink_before, engine_before = _cpu(sink.pid), _cpu(endpoint.pid)
            if rows and (not seen or rows > seen[-1][1]):
                seen.append((time.monotonic(), rows))
            if time.monotonic() > give_up or sink.poll() is not None:
                raise SystemExit("the sink did not finish")
        (first_at, first), (last_at, last) = seen[0], seen[-1]
        sink_cpu, engine_cpu = _cpu(sink.pid) - sink_before, _cpu(endpoint.pid) - engine_before
        disk = client.query("SELECT sum(bytes_on_disk), count() FROM system.parts WHERE active AND table = 'events'")
    finally:
        sink.terminate()
        sink.wait(30)
    return {
        "events_per_second": round((last - first) / (last_at - first_at)),
        "per_cpu_second": {"sink": round((last - first) / sink_cpu), "engine": round((last - first) / engine_cpu)},
        "bytes_on_disk_per_event": round(disk.result_rows[0][0] / events),
        "parts": disk.result_rows[0][1],
    }


def _cpu(pid: int) -> float:
    """Seconds of processor time a process has used, its threads included."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def _fill(settings: Settings, events: int, partitions: int) -> int:
    """Put the events on the topic in full batches; returns the mean size of one in bytes."""
    topic = ControllerTopics(CONTROLLER).events
    producer = AIOKafkaProducer(bootstrap_servers=settings.kafka.bootstrap_servers, max_batch_size=1 << 19)
    await producer.start()
    bytes_sent, sent = 0, 0
    try:
        batches = [producer.create_batch() for _ in range(partitions)]
        for sent, (key, message, headers) in enumerate(_events(events)):
            partition = sent % partitions
            bytes_sent += len(message)
            if batches[partition].append(key=key, value=message, timestamp=None, headers=headers) is None:
                await producer.send_batch(batches[partition], topic, partition=partition)
                batches[partition] = producer.create_batch()
                batches[partition].append(key=key, value=message, timestamp=None, headers=headers)
        for partition, batch in enumerate(batches):
            await producer.send_batch(batch, topic, partition=partition)
        await producer.flush()
    finally:
        await producer.stop()
    return bytes_sent // (sent + 1)


def _events(count: int) -> Iterator[tuple[bytes, bytes, list[tuple[str, bytes]]]]:
    draw = random.Random(1)
    known = [_event(draw, number) for number in range(DISTINCT)]
    for number in range(count):
        key, message = known[number % DISTINCT]
        identifier = str(uuid.UUID(int=draw.getrandbits(128))).encode()
        headers = [
            ("ce_specversion", b"1.0"),
            ("ce_id", identifier),
            ("ce_type", b"inzage.v1.DisclosureEvent"),
            ("ce_source", b"claims/claims-1"),
            ("ce_time", b"2026-03-01T12:00:00+00:00"),
        ]
        yield key, message[: _ID.start] + identifier + message[_ID.stop :], headers


def _event(draw: random.Random, number: int) -> tuple[bytes, bytes]:
    at = datetime(2026, 3, 1, tzinfo=UTC) + timedelta(seconds=number)
    subject = f"SUB-{draw.getrandbits(48):012x}"
    face = {
        "event_id": str(uuid.UUID(int=draw.getrandbits(128))),
        "event_type": draw.choice(["AccessEvent", "DisclosureEvent", "TransferEvent"]),
        "occurred_at": at.isoformat(),
        "recorded_at": (at + timedelta(seconds=draw.random() * 9)).isoformat(),
        "source_system": "claims",
        "source_instance": "claims-1",
        "source_sequence": number,
        "trace_id": f"{draw.getrandbits(128):032x}",
        "outcome": "SUCCESS",
        "action": "READ",
        "actor": {
            "id": f"ACT-{draw.randrange(3000)}",
            "type": "HUMAN",
            "role": "CLAIMS_HANDLER",
            "department": "CLAIMS",
            "unit": "CLAIMS-ANTWERP",
            "org_id": "ORG-CIGNA-BE",
            "access_country": "BE",
        },
        "subject": {"pseudonym": subject, "relation": "INSURED_EMPLOYEE"},
        "recipient": {
            "org_id": f"ORG-{draw.randrange(400)}",
            "category": "HEALTHCARE_PROVIDER",
            "establishment_country": "BE",
            "processing_country": draw.choice(["BE", "US", "KE"]),
        },
        "data_categories": ["IDENTITY", "HEALTH_PHYSICAL"],
        "purpose": "CLAIMS_HANDLING",
        "legal_basis": "CONTRACT",
        "case_ref": f"CASE-{draw.randrange(10**6)}",
        "service_ref": f"POL-{draw.randrange(10**5)}",
        "notice_version": "CIGNA-2018-05",
    }
    record = json_face.read({"event": face}, controller_id=CONTROLLER, strict=False).record
    return subject.encode(), codec.encode("activity", record)


if __name__ == "__main__":
    typer.run(main)
