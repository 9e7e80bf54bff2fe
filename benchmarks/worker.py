"""Screening end to end: from consuming to acknowledged verdicts, the worker process pinned to one core.

Events of a health insurer lie on the topic before the worker starts, behind the facts about the persons they are
about. The clock runs from the report of the last batch in which there was a fact to the last report of all. Five of a
hundred of Cigna's events break a promise; of HMBS's nearly all do, so that one measures the making of verdicts. The
broker has the other core.
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
from collections.abc import Iterator, Sequence
from operator import itemgetter
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer

from benchmarks.screening import kinds
from inzage.deploy.local.kafka import Broker
from inzage.deploy.local.topics import ensure_topics
from inzage.schemas.codec import decode, encode
from inzage.schemas.json_face import read
from inzage.schemas.settings import Settings
from inzage.schemas.topics import ControllerTopics
from inzage.streams.screening.examples import merged
from inzage.streams.screening.pack import policies_of
from inzage.streams.transport.publisher import BatchPublisher, OutgoingRecord

_PERSONS = 10_000


def known(controller: str, persons: Sequence[str]) -> Iterator[OutgoingRecord]:
    """What the pack's examples start from: the facts about organisations, and those about a person for each."""
    pack, topics = policies_of(controller).own, ControllerTopics(controller)
    envelope = {"recorded_at": "2018-01-01T00:00:00Z", "controller_id": controller, "source_system": "B"}
    base = pack.base_event["subject"]["pseudonym"]
    for fact in pack.base_facts:
        if "subject" not in fact:
            record = read({"fact": {**envelope, **fact}}).record
            yield OutgoingRecord(topics.references, record["fact_id"].encode(), encode("reference", record))
    for person in persons:
        for number, fact in enumerate(fact for fact in pack.base_facts if "subject" in fact):
            own = {name: person if value == base else value for name, value in fact.items()}
            record = read({"fact": {**envelope, **own, "fact_id": f"{person}-{number}"}}).record
            yield OutgoingRecord(topics.events, person.encode(), encode("fact", record))


def events(controller: str, persons: Sequence[str], count: int) -> list[OutgoingRecord]:
    """`count` events, encoded once a kind, then given ids and persons of their own."""
    chance = random.Random(1)
    marker_id, marker_person = "0" * 36, "1" * 34
    templates = []
    for kind in kinds(policies_of(controller).own.base_event, chance):
        own = {"event_id": marker_id, "subject": {"pseudonym": marker_person}, "controller_id": controller}
        written = encode("activity", read({"event": merged(kind, own)}).record)
        before, _, rest = written.partition(marker_id.encode())
        middle, _, after = rest.partition(marker_person.encode())
        templates.append((before, middle, after))
    topic = ControllerTopics(controller).events
    records = []
    for number in range(count):
        before, middle, after = templates[number % len(templates)]
        person = chance.choice(persons).encode()
        event_id = str(uuid.UUID(int=chance.getrandbits(128))).encode()
        records.append(OutgoingRecord(topic, person, before + event_id + middle + person + after))
    return records


async def _publish(settings: Settings, controller: str, count: int) -> None:
    chance = random.Random(2)
    persons = [f"p_{chance.getrandbits(128):032x}" for _ in range(_PERSONS)]
    async with BatchPublisher(settings.kafka) as publisher:
        await publisher.publish(list(known(controller, persons)))
        made = events(controller, persons, count)
        for start in range(0, count, 50_000):
            await publisher.publish(made[start : start + 50_000])


async def _measure(settings: Settings, controller: str, count: int, worker: int) -> dict[str, float]:
    started = time.time()
    consumer = AIOKafkaConsumer(
        ControllerTopics(controller).verdicts,
        bootstrap_servers=settings.kafka.bootstrap_servers,
        auto_offset_reset="earliest",
    )
    await consumer.start()
    reports: list[tuple[float, dict[str, Any]]] = []
    spent: list[tuple[float, float]] = []
    try:
        while sum(report["activities"] for _, report in reports) < count:
            if time.time() - started > 300:
                raise TimeoutError(f"{len(reports)} batches judged, not all {count} events")
            for records in (await consumer.getmany(timeout_ms=500)).values():
                said = ((record.timestamp / 1000, *decode(record.value)) for record in records)
                reports += [(at, report) for at, schema, report in said if schema.name == "judged"]
            spent.append((time.time(), _processor_seconds(worker)))
    finally:
        await consumer.stop()
    reports.sort(key=itemgetter(0))
    begun = max((at for at, report in reports if report["facts"]), default=reports[0][0])
    timed = [report for at, report in reports if at > begun]
    judged = sum(report["activities"] for report in timed)
    before = max((taken for taken in spent if taken[0] <= begun), default=spent[0])
    since = spent[-1][1] - before[1]
    return {
        "events": judged,
        "violations": sum(report["violations"] for report in timed),
        "batches": len(timed),
        "mean_batch": round(judged / len(timed)),
        "events_per_second": round(judged / (reports[-1][0] - begun)),
        "events_per_cpu_second": round(judged / since),
    }


def _processor_seconds(process: int) -> float:
    """What a process took, in its own code and the kernel's."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Run it and print one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=800_000)
    parser.add_argument("--batch", type=int, default=50_000)
    parser.add_argument("--controller", default="CIGNA")
    parser.add_argument("--partitions", type=int, default=4)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, Broker(Path(folder)) as broker:
        os.sched_setaffinity(broker.pid, {1 % os.cpu_count()} if os.cpu_count() else {0})
        settings = Settings(
            controllers=(asked.controller,),
            kafka={"bootstrap_servers": broker.bootstrap_servers, "partitions": asked.partitions},
        )
        ensure_topics(settings, settings.controllers)
        asyncio.run(_publish(settings, asked.controller, asked.records))
        environment = {
            **os.environ,
            "INZAGE_KAFKA__BOOTSTRAP_SERVERS": broker.bootstrap_servers,
            "INZAGE_CONTROLLERS": json.dumps([asked.controller]),
        }
        command = [sys.executable, "-m", "inzage.console.main", "worker", "--max-records", str(asked.batch)]
        pinned = ["taskset", "-c", "0", *command]
        worker = subprocess.Popen(pinned, env=environment, stderr=subprocess.DEVNULL)
        try:
            result = asyncio.run(_measure(settings, asked.controller, asked.records, worker.pid))
        finally:
            worker.terminate()
            worker.wait(30)
    print(json.dumps({"benchmark": "worker", "of": asked.controller, "batch_limit": asked.batch, **result}))


if __name__ == "__main__":
    main()
