"""Emitting from one process until every acknowledgement is there: one by one, and in whole batches.

Events are those of the demonstration's month, made beforehand, so that only emitting is timed. Prints one line of
JSON per way.
"""

from __future__ import annotations

import argparse
import asyncio
import copy
import json
import time
from itertools import islice

from inzage.console.bulk import BulkEmitter
from inzage.console.demonstration.month import Month
from inzage.deploy.local.topics import ensure_topics
from inzage.schemas.emitter import AlreadyPseudonyms, Emitter, SqlVault
from inzage.schemas.json_face import Said, write
from inzage.schemas.settings import KafkaSettings, Settings


def main() -> None:
    """Run it and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bootstrap-servers", default="127.0.0.1:9092")
    parser.add_argument("--records", type=int, default=20_000)
    asked = parser.parse_args()
    settings = Settings(kafka=KafkaSettings(bootstrap_servers=asked.bootstrap_servers))
    ensure_topics(settings, settings.controllers)
    saids = list(islice(Month(seed=1, events=2 * asked.records).lane(0), asked.records))
    faces = [write(said.kind, said.record) for said in saids]
    for way, seconds in (
        ("emit: read, checked, one by one", _one_by_one(settings, faces)),
        ("send: read before, one by one", _read_before(settings, copy.deepcopy(saids))),
        ("bulk: read before, whole batches", _bulk(settings, saids)),
    ):
        rate = round(asked.records / seconds)
        print(json.dumps({"benchmark": "emitter", "way": way, "events_per_second": rate}), flush=True)


def _one_by_one(settings: Settings, faces: list[dict[str, object]]) -> float:
    started = time.perf_counter()
    with _emitter(settings) as emitter:
        for face in faces:
            emitter.emit(face)
    return time.perf_counter() - started


def _read_before(settings: Settings, saids: list[Said]) -> float:
    started = time.perf_counter()
    with _emitter(settings) as emitter:
        for said in saids:
            emitter.send(said)
    return time.perf_counter() - started


def _bulk(settings: Settings, saids: list[Said]) -> float:
    async def emit() -> None:
        async with BulkEmitter(settings.kafka, SqlVault.passing()) as emitter:
            await emitter.emit(saids)

    started = time.perf_counter()
    asyncio.run(emit())
    return time.perf_counter() - started


def _emitter(settings: Settings) -> Emitter:
    return Emitter(
        controller_id="CIGNA",
        source_system="benchmark",
        settings=settings,
        vault=AlreadyPseudonyms(SqlVault.passing),
        compression=None,
    )


if __name__ == "__main__":
    main()
