"""A worker that writes down every record it is handed, run as a process of its own so that it can be killed.

Each batch adds `partition offset incarnation` lines to a file of this process, in one write after its work.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import random
import time
from collections.abc import Mapping
from pathlib import Path

from aiokafka.structs import ConsumerRecord
from faust.types import TP

from inzage.schemas.settings import KafkaSettings
from inzage.streams.transport.app import BatchApp
from inzage.streams.transport.batch import RecordBatch
from inzage.streams.transport.consumer import BatchConsumer, BatchTransport
from inzage.streams.transport.settings import BatchSettings

POISON = b"POISON: a name that must not reach the log"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bootstrap-servers", required=True)
    parser.add_argument("--topic", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--max-records", type=int, default=200)
    parser.add_argument("--work", type=float, nargs="+", default=[0.0], help="seconds per batch, one at random")
    parser.add_argument("--poison", type=Path, help="while this file exists, the poison record raises")
    parser.add_argument("--seek-delay", type=float, default=0.0, help="wait this long after every seek")
    parser.add_argument("--fetch-times", type=float, default=1.0, help="wait longer for an empty fetch")
    parser.add_argument("--skip-the-rule", action="store_true", help="do not seek back after discarding")
    parser.add_argument("--watchdog-age", type=float, default=60.0)
    parser.add_argument("--stop-within", type=float, default=20.0)
    parser.add_argument("--hang-at-stop", action="store_true", help="block the loop when told to stop")
    parser.add_argument("--stamp", action="store_true", help="note the seconds from record to agent instead")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO)

    class FaultyConsumer(BatchConsumer):
        async def perform_seek(self) -> None:
            await super().perform_seek()
            logging.getLogger(__name__).info("sought")
            await asyncio.sleep(arguments.seek_delay)

        async def stop(self) -> None:
            if arguments.hang_at_stop:
                time.sleep(3600.0)
            await super().stop()

        async def _fetch(self, longest: float) -> Mapping[TP, list[ConsumerRecord]]:
            return await super()._fetch(longest * arguments.fetch_times)

        def _discard(self) -> None:
            if not arguments.skip_the_rule:
                super()._discard()

    class FaultyTransport(BatchTransport):
        Consumer = FaultyConsumer

    class FaultyApp(BatchApp):
        def _new_transport(self) -> BatchTransport:
            return FaultyTransport(self.conf.broker_consumer, self)

    settings = BatchSettings(
        max_records=arguments.max_records,
        session_timeout=6.0,
        rebalance_timeout=min(20.0, arguments.watchdog_age / 2),
        watchdog_age=arguments.watchdog_age,
        stop_within=arguments.stop_within,
    )
    app = FaultyApp(
        arguments.topic, kafka=KafkaSettings(bootstrap_servers=arguments.bootstrap_servers), batch=settings
    )
    record = os.open(arguments.out / f"{os.getpid()}.handed", os.O_CREAT | os.O_APPEND | os.O_WRONLY)

    @app.batch_agent(arguments.topic)
    async def write_down(batch: RecordBatch) -> None:
        now = time.time()
        poisoned = any(found.value == POISON for found in batch.records)
        if poisoned and arguments.poison and arguments.poison.exists():
            raise ValueError(POISON.decode())
        await asyncio.sleep(random.choice(arguments.work))
        lines = (
            f"{batch.partition} {found.offset} {batch.incarnation}"
            + (f" {now - found.timestamp / 1000:.4f}" if arguments.stamp else "")
            for found in batch.records
        )
        os.write(record, "".join(f"{line}\n" for line in lines).encode())

    app.run()


if __name__ == "__main__":
    main()
