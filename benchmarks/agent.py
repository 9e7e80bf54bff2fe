"""Measures an empty agent on partition batches against an empty stock Faust agent, on the same topic.

Prints one line of JSON per agent and one for their ratio. Counted is from the first arrival to the last,
without the records that came with the first.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import subprocess
import sys
import tempfile
import time
import uuid

import faust
from kafka import KafkaAdminClient

from inzage.schemas.settings import KafkaSettings
from inzage.streams.transport.app import BatchApp
from inzage.streams.transport.batch import RecordBatch
from inzage.streams.transport.publisher import BatchPublisher, OutgoingRecord

AT_LEAST = 15.0
"""Times as fast as stock Faust that the batch agent must be."""
PARTITIONS = 4


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bootstrap-servers", default="127.0.0.1:9092")
    parser.add_argument("--records", type=int, default=400_000)
    parser.add_argument("--record-bytes", type=int, default=250)
    parser.add_argument("--work", choices=("batch", "stock"), help=argparse.SUPPRESS)
    parser.add_argument("--topic", default=f"inzage.bench.{uuid.uuid4().hex[:8]}.v1", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.work:
        work(arguments)
    compare(arguments)


def compare(arguments: argparse.Namespace) -> None:
    admin = KafkaAdminClient(bootstrap_servers=arguments.bootstrap_servers)
    admin.create_topics({arguments.topic: {"num_partitions": PARTITIONS, "replication_factor": 1}})
    try:
        asyncio.run(fill(arguments))
        rates = {}
        for kind in ("batch", "stock"):
            command = [sys.executable, __file__, "--work", kind, "--topic", arguments.topic]
            command += ["--bootstrap-servers", arguments.bootstrap_servers]
            command += ["--records", str(arguments.records)]
            line = subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=600).stdout.decode()
            print(line, end="", flush=True)
            rates[kind] = json.loads(line)["events_per_second"]
        ratio = rates["batch"] / rates["stock"]
        print(json.dumps({"ratio": round(ratio, 1), "at_least": AT_LEAST, "passed": ratio >= AT_LEAST}))
        sys.exit(0 if ratio >= AT_LEAST else 1)
    finally:
        admin.delete_topics([arguments.topic])
        admin.close()


async def fill(arguments: argparse.Namespace) -> None:
    value = os.urandom(arguments.record_bytes)
    async with BatchPublisher(KafkaSettings(bootstrap_servers=arguments.bootstrap_servers)) as publisher:
        for start in range(0, arguments.records, 50_000):
            await publisher.publish(
                OutgoingRecord(arguments.topic, b"subject-%d" % (n % 1000), value, partition=n % PARTITIONS)
                for n in range(start, min(start + 50_000, arguments.records))
            )


def work(arguments: argparse.Namespace) -> None:
    logging.basicConfig(level=logging.WARNING)
    count = Arrivals(arguments.work, arguments.records)
    group = f"benchmark-{uuid.uuid4().hex[:8]}"
    if arguments.work == "batch":
        app = BatchApp(group, kafka=KafkaSettings(bootstrap_servers=arguments.bootstrap_servers))

        @app.batch_agent(arguments.topic)
        async def take_batch(batch: RecordBatch) -> None:
            count.add(len(batch))

        app.run()
    stock = faust.App(
        group,
        broker=f"kafka://{arguments.bootstrap_servers}",
        store="memory://",
        web_enabled=False,
        topic_disable_leader=True,
        consumer_auto_offset_reset="earliest",
        datadir=f"{tempfile.gettempdir()}/{group}",
    )
    source = stock.topic(arguments.topic, key_serializer="raw", value_serializer="raw", value_type=None)

    @stock.agent(source)
    async def take_single(stream: faust.Stream) -> None:
        async for _ in stream:
            count.add(1)

    worker = faust.Worker(stock, quiet=True, override_logging=False, redirect_stdouts=False)
    worker.spinner = None  # it writes to standard output
    worker.execute_from_commandline()


class Arrivals:
    """Counts events and ends the process with the rate when all have come."""

    def __init__(self, agent: str, expected: int) -> None:
        self.agent = agent
        self.expected = expected
        self.first = 0
        self.seen = 0
        self.calls = 0
        self.started = 0.0

    def add(self, events: int) -> None:
        if not self.seen:
            self.first, self.started = events, time.perf_counter()
        self.seen += events
        self.calls += 1
        if self.seen >= self.expected:
            seconds = time.perf_counter() - self.started
            rate = (self.seen - self.first) / seconds
            result = {"agent": self.agent, "events": self.seen, "handed_over_in": self.calls}
            print(json.dumps(result | {"events_per_second": round(rate)}), flush=True)
            os._exit(0)


if __name__ == "__main__":
    main()
