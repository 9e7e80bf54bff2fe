"""How many late facts a reviser works off a second on one core, the trail in a ClickHouse endpoint.

Facts that reach back to nothing that was said are the usual case; those that reach back to one event each are judged
again. All lie in one partition, with the packs of Cigna. Reading Kafka and waiting for the trail are left out.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from aiokafka import AIOKafkaProducer

from inzage.console.revising.late import LateLog
from inzage.console.revising.log_records import LogRecords
from inzage.deploy.local.clickhouse.access import Access
from inzage.deploy.local.clickhouse.endpoint import Endpoint
from inzage.deploy.local.kafka import Broker
from inzage.deploy.local.topics import ensure_topics
from inzage.schemas import codec, json_face
from inzage.schemas.settings import Settings
from inzage.schemas.topics import ControllerTopics
from inzage.sinks.connection import open_clickhouse
from inzage.sinks.intake import Pace
from inzage.sinks.logs import read_cluster, topics_of
from inzage.sinks.migrations import migrate
from inzage.sinks.sink import Sink
from inzage.sinks.trail import Trail
from inzage.streams.dossier.law import law
from inzage.streams.dossier.references import References
from inzage.streams.dossier.store import DossierStore
from inzage.streams.screening.engine import engine
from inzage.streams.screening.pack import policies_of

HAPPENED = datetime(2026, 3, 1, tzinfo=UTC)


def main(
    persons: Annotated[int, typer.Option(help="persons with five events each and one fact")] = 20_000,
    reaching: Annotated[int, typer.Option(help="how many of the facts reach back to an event")] = 2_000,
) -> None:
    """Measure both cases."""
    with tempfile.TemporaryDirectory() as folder:
        broker = Broker(Path(folder) / "kafka", heap_megabytes=256)
        endpoint = Endpoint(Path(folder) / "clickhouse", access=Access.EVERYTHING, migrate=False, fsync=False)
        with broker, endpoint:
            for case, count in (("reaching back to nothing", 0), ("reaching back to an event", reaching)):
                measured = asyncio.run(_measure(broker, endpoint, count or persons, bool(count)))
                print(json.dumps({"case": case, **measured}), flush=True)


async def _measure(broker: Broker, endpoint: Endpoint, persons: int, reaches: bool) -> dict[str, float]:
    controller = f"L{uuid.uuid4().hex[:8]}".upper()
    settings = Settings(
        controllers=(controller,),
        kafka={"bootstrap_servers": broker.bootstrap_servers, "partitions": 1},
        clickhouse={"url": endpoint.url, "database": f"late_{controller.lower()}"},
    )
    ensure_topics(settings, [controller])
    client = open_clickhouse(settings.clickhouse, answer_within=60)
    migrate(lambda text: str(client.command(text, use_database=False) or ""), settings.clickhouse.database)
    trail = Trail(client, settings.clickhouse.database)
    topics = topics_of([controller])
    cluster = read_cluster(settings.kafka, topics)
    arrived = await _say(settings, controller, persons, reaches)
    await _keep(Sink(settings, trail, cluster, topics, Pace()), trail, settings.clickhouse.database, max(arrived))
    policies = policies_of("CIGNA")
    late = LateLog(
        engine(),
        engine().add(policies),
        References(controller, law(), policies.settings),
        {},
        LogRecords(trail, cluster.log(topics[ControllerTopics(controller).events], 0)),
        DossierStore(),
    )
    begin, processor, verdicts = time.perf_counter(), time.process_time(), 0
    for page in late.of_facts(arrived):
        verdicts += len(page.verdicts)
    seconds = time.perf_counter() - begin
    return {
        "facts": len(arrived),
        "verdicts": verdicts,
        "facts_per_second": round(len(arrived) / seconds),
        "facts_per_processor_second": round(len(arrived) / (time.process_time() - processor)),
    }


async def _say(settings: Settings, controller: str, persons: int, reaches: bool) -> dict[int, tuple[int, str]]:
    """Say five events and then a consent of each person; the facts by offset with broker time and subject."""
    producer = AIOKafkaProducer(bootstrap_servers=settings.kafka.bootstrap_servers, linger_ms=20)
    await producer.start()
    topic = ControllerTopics(controller).events
    try:
        for number in range(5 * persons):
            await producer.send(topic, _event(controller, number), f"SUB-{number // 5}".encode(), partition=0)
        await producer.flush()
        given = HAPPENED + timedelta(days=-1 if reaches else 90)
        said = [
            (
                f"SUB-{number}",
                await producer.send(topic, _fact(controller, number, given), f"SUB-{number}".encode(), 0),
            )
            for number in range(persons)
        ]
        await producer.flush()
        known = [(subject, await acknowledged) for subject, acknowledged in said]
    finally:
        await producer.stop()
    return {record.offset: (record.timestamp, subject) for subject, record in known}


async def _keep(sink: Sink, trail: Trail, database: str, last: int) -> None:
    running = asyncio.create_task(sink.run())
    try:
        while True:
            asked = f"SELECT (SELECT count() FROM {database}.events) + (SELECT count() FROM {database}.facts)"
            ((held,),) = (await asyncio.to_thread(trail.client.query, asked)).result_rows
            if held > last:
                return
            await asyncio.sleep(0.5)
    finally:
        sink.stop()
        await running


def _event(controller: str, number: int) -> bytes:
    at = HAPPENED + timedelta(seconds=number)
    face = {
        "event_id": f"event-{number}",
        "event_type": "DisclosureEvent",
        "occurred_at": at.isoformat(),
        "source_system": "claims",
        "actor": {"id": "ACT-1", "role": "CLAIMS"},
        "subject": {"pseudonym": f"SUB-{number // 5}"},
        "recipient": {"org_id": "ORG-EMP", "category": "EMPLOYER"},
        "data_categories": ["HEALTH_PHYSICAL"],
    }
    return codec.encode("activity", json_face.read({"event": face}, controller_id=controller, strict=False).record)


def _fact(controller: str, number: int, given: datetime) -> bytes:
    face = {
        "type": "ConsentGiven",
        "fact_id": f"fact-{number}",
        "recorded_at": given.isoformat(),
        "source_system": "portal",
        "consent_ref": f"C-{number}",
        "subject": f"SUB-{number}",
        "explicit": True,
        "given_at": given.isoformat(),
        "scope": {"recipient_org_ids": ["ORG-EMP"], "data_categories": None, "purposes": None},
    }
    return codec.encode("fact", json_face.read({"fact": face}, controller_id=controller, strict=False).record)


if __name__ == "__main__":
    typer.run(main)
