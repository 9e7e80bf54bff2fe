"""Emits one lane of the month in whole batches, in a process of its own; prints counts and seconds as JSON.

    python -m inzage.console.demonstration.emission --seed 1 --events 200000 --lane 0

Kafka is that of the settings. A process is a source of its own, so its numbers are contiguous.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import time
from collections import Counter
from typing import Annotated

import typer

from inzage.console.bulk import BulkEmitter
from inzage.console.demonstration.month import Month
from inzage.schemas.emitter import AlreadyPseudonyms, Emitter, SqlVault
from inzage.schemas.errors import InzageError
from inzage.schemas.settings import Settings, load_settings

SOURCE = "demonstration"


def open_emitter(settings: Settings, source_system: str = SOURCE) -> Emitter:
    """An emitter for a month whose people are references already."""
    return Emitter(
        controller_id=settings.controllers[0],
        source_system=source_system,
        settings=settings,
        vault=AlreadyPseudonyms(),
        compression=None,  # the broker is on this machine
    )


async def emit_lane(settings: Settings, month: Month, lane: int) -> Counter[str]:
    """Emit everything the people of `lane` say and do; returns once all of it is acknowledged."""
    async with BulkEmitter(settings.kafka, SqlVault.of(settings.data_dir), settings.schema_registry) as emitter:
        counts = await emitter.emit(month.lane(lane))
    return Counter(events=counts["activity"], facts=counts["fact"])


def main(
    seed: Annotated[int, typer.Option()],
    events: Annotated[int, typer.Option()],
    lane: Annotated[int, typer.Option()],
) -> None:
    """Emit one lane and print what was said."""
    gc.set_threshold(100_000, 50, 100)  # what is made per event is freed by its last reference
    started = time.monotonic()
    try:
        counts = asyncio.run(emit_lane(load_settings(), Month(seed, events), lane))
    except InzageError as error:
        sys.stderr.write(f"{error.code}: {error.diagnostics()}\n")
        raise typer.Exit(2) from error
    sys.stdout.write(json.dumps({**counts, "seconds": round(time.monotonic() - started, 2)}) + "\n")


if __name__ == "__main__":
    typer.run(main)
