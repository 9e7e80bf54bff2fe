"""Screening end to end: from consuming to acknowledged verdicts, the worker process pinned to one core.

Events of a health insurer lie on the topic before the worker starts; the clock runs from the first to the last
report of judged offsets on the verdicts topic. The broker has the other core.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path

from aiokafka import AIOKafkaConsumer

from inzage.deploy.local.kafka import Broker
from inzage.deploy.local.topics import ensure_topics
from inzage.schemas.codec import decode, encode
from inzage.schemas.framing import SINGLE_OBJECT_BYTES
from inzage.schemas.json_face import read
from inzage.schemas.settings import Settings
from inzage.schemas.topics import ControllerTopics
from inzage.streams.screening.examples import merged
from inzage.streams.screening.pack import policies_of
from inzage.streams.transport.publisher import BatchPublisher, OutgoingRecord

CONTROLLER = "CIGNA"
_PERSONS = 20_000
_VARIANTS = (
    {"event_type": "AccessEvent", "action": "READ", "recipient": None},
    {"event_type": "AccessEvent", "action": "READ", "recipient": None,
     "data_categories": ["IDENTITY", "HEALTH_PHYSICAL"],
     "data_items": ["NAME", "DIAGNOSIS_CODE"], "special_category": True, "special_basis": "ART9_HEALTH_CARE"},
    {"event_type": "ProcessingEvent", "action": "UPDATE", "recipient": None},
    {},
)  # fmt: skip
_VIOLATING = {"purpose": "MARKETING", "campaign_id": "CAMP-1"}


def references() -> list[OutgoingRecord]:
    """The facts the variants rest on."""
    pack = policies_of(CONTROLLER).own
    records = []
    for fact in pack.base_facts:
        line = {
            "fact": {"recorded_at": "2018-01-01T00:00:00Z", "controller_id": CONTROLLER, "source_system": "B", **fact}
        }
        said = read(line)
        if said.kind == "reference":
            topic = ControllerTopics(CONTROLLER).references
            records.append(OutgoingRecord(topic, said.record["fact_id"].encode(), encode("reference", said.record)))
    return records


def events(count: int) -> list[OutgoingRecord]:
    """`count` events; one in a hundred violates. Encoded once a variant, then given ids of their own."""
    chance = random.Random(1)
    base = policies_of(CONTROLLER).own.base_event
    persons = [f"p_{chance.getrandbits(128):032x}" for _ in range(_PERSONS)]
    marker_id, marker_person = "0" * 36, "1" * 34
    templates = []
    for change in (*_VARIANTS, _VIOLATING):
        said = read(
            {"event": merged(base, {**change, "event_id": marker_id, "subject": {"pseudonym": marker_person}})}
        )
        before, _, rest = encode("activity", said.record).partition(marker_id.encode())
        middle, _, after = rest.partition(marker_person.encode())
        templates.append((before, middle, after))
    topic = ControllerTopics(CONTROLLER).events
    records = []
    for number in range(count):
        before, middle, after = templates[-1] if number % 100 == 0 else templates[number % len(_VARIANTS)]
        person = persons[chance.randrange(_PERSONS)].encode()
        event_id = str(uuid.UUID(int=chance.getrandbits(128))).encode()
        records.append(OutgoingRecord(topic, person, before + event_id + middle + person + after))
    assert len(records[0].value or b"") > SINGLE_OBJECT_BYTES
    return records


async def _publish(settings: Settings, count: int) -> None:
    async with BatchPublisher(settings.kafka) as publisher:
        await publisher.publish(references())
        made = events(count)
        for start in range(0, count, 50_000):
            await publisher.publish(made[start : start + 50_000])


async def _measure(settings: Settings, count: int, started: float) -> dict[str, float]:
    consumer = AIOKafkaConsumer(
        ControllerTopics(CONTROLLER).verdicts,
        bootstrap_servers=settings.kafka.bootstrap_servers,
        auto_offset_reset="earliest",
    )
    await consumer.start()
    judged, violations, first, batches = 0, 0, 0.0, []
    try:
        while judged < count:
            if time.time() - started > 300:
                raise TimeoutError(f"{judged} of {count} judged")
            for records in (await consumer.getmany(timeout_ms=500)).values():
                for record in records:
                    schema, report = decode(record.value)
                    if schema.name == "judged":
                        judged += report["activities"]
                        violations += report["violations"]
                        batches.append((record.timestamp / 1000, report["activities"]))
    finally:
        await consumer.stop()
    batches.sort()
    first = batches[0][0]
    last = batches[-1][0]
    return {
        "events": count,
        "violations": violations,
        "batches": len(batches),
        "mean_batch": round(count / len(batches)),
        "events_per_second": round((count - batches[0][1]) / (last - first)),
    }


def main() -> None:
    """Run it and print one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=400_000)
    parser.add_argument("--batch", type=int, default=50_000)
    parser.add_argument("--partitions", type=int, default=4)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, Broker(Path(folder)) as broker:
        os.sched_setaffinity(broker.pid, {1 % os.cpu_count()} if os.cpu_count() else {0})
        settings = Settings(
            controllers=(CONTROLLER,),
            kafka={"bootstrap_servers": broker.bootstrap_servers, "partitions": asked.partitions},
        )
        ensure_topics(settings, settings.controllers)
        asyncio.run(_publish(settings, asked.records))
        environment = {
            **os.environ,
            "INZAGE_KAFKA__BOOTSTRAP_SERVERS": broker.bootstrap_servers,
            "INZAGE_CONTROLLERS": json.dumps([CONTROLLER]),
        }
        command = [sys.executable, "-m", "inzage.console.main", "worker", "--max-records", str(asked.batch)]
        pinned = ["taskset", "-c", "0", *command]
        worker = subprocess.Popen(pinned, env=environment, stderr=subprocess.DEVNULL)
        try:
            result = asyncio.run(_measure(settings, asked.records, time.time()))
        finally:
            worker.terminate()
            worker.wait(30)
    print(json.dumps({"benchmark": "worker", "batch_limit": asked.batch, **result}))


if __name__ == "__main__":
    main()
