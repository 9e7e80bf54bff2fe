"""Measures how long a proof for one event takes in a trail of five million rows, and how long checking it takes.

    python -m benchmarks.proof [--rows 5000000] [--partitions 12] [--proofs 400]

One JSON line on stdout. The trail is written by the sink's own blocks and sealed every 2,000 records of a log, so
that there are as many checkpoints as a day's quiet traffic leaves. Each proof is of an event drawn at random;
building the file's text is part of it, starting Python is not. Half of them are made by one `Prover`, which keeps the
statement of the schema from one proof to the next; the others each by themselves (`prove_alone_ms_p50`), as somebody
does who asks for one. What the first of all takes longer (`prove_ms_first`) is an engine and modules not used yet.
`prove_cpu_ms` is processor time of engine and client together, which a machine that is shared does not disturb.
"""

from __future__ import annotations

import json
import random
import statistics
import sys
import tempfile
import time
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from benchmarks.sink import _ID, DISTINCT, _cpu, _event
from inzage.deploy.local.clickhouse.access import Access
from inzage.deploy.local.clickhouse.endpoint import Endpoint
from inzage.schemas.settings import Settings
from inzage.sinks.connection import open_clickhouse
from inzage.sinks.proof.check import Trust, check_proof
from inzage.sinks.proof.prove import Prover, prove
from tests.sealed_trail import SealedTrail

AIM_MS, AIM_MS_P95 = 50.0, 80.0
BLOCK = 50_000
SEALED_EVERY = 2_000


def main(
    rows: Annotated[int, typer.Option(help="Rows in the trail.")] = 5_000_000,
    partitions: Annotated[int, typer.Option(help="Logs they are spread over.")] = 12,
    proofs: Annotated[int, typer.Option(help="Proofs to make.")] = 400,
) -> None:
    """Fill a trail, then prove events of it."""
    with tempfile.TemporaryDirectory() as folder:
        endpoint = Endpoint(Path(folder) / "clickhouse", access=Access.EVERYTHING, migrate=True, fsync=False)
        with endpoint:
            settings = Settings(controllers=("BENCH",), clickhouse={"url": endpoint.url})
            client = open_clickhouse(settings.clickhouse, answer_within=120)
            trail = SealedTrail(settings, client)
            identifiers = _fill(trail, rows, partitions)
            said = {"benchmark": "proof", "rows": rows, "partitions": partitions, "checkpoints": len(trail.notes)}
            measured = _measure(trail, endpoint, random.Random(2).sample(identifiers, proofs))
    sys.stdout.write(json.dumps({**said, **measured}) + "\n")
    missed = measured["prove_ms_p50"] > AIM_MS or measured["prove_ms_p95"] > AIM_MS_P95
    raise typer.Exit(1 if missed else 0)


def _measure(trail: SealedTrail, endpoint: Endpoint, identifiers: list[str]) -> dict[str, Any]:
    trust = Trust([trail.signer.verifier])
    made, alone, checked, sizes, contents = [], [], [], [], []
    began = time.perf_counter()
    prove(trail.trail, identifiers[0])
    first = (time.perf_counter() - began) * 1000
    assert endpoint.pid
    before = _cpu(endpoint.pid) + time.process_time()
    with Prover(trail.trail) as prover:
        prover.prove(identifiers[0])
        for number, identifier in enumerate(identifiers):
            started = time.perf_counter()
            proven = prove(trail.trail, identifier) if number % 2 else prover.prove(identifier)
            contents.append(str(proven.file).encode())
            (alone if number % 2 else made).append((time.perf_counter() - started) * 1000)
    used = _cpu(endpoint.pid) + time.process_time() - before
    for content in contents:
        started = time.perf_counter()
        check_proof(content, trust)
        checked.append((time.perf_counter() - started) * 1000)
        sizes.append(len(content))
    return {
        "prove_ms_first": round(first, 1),
        "prove_ms_p50": round(statistics.median(made), 1),
        "prove_alone_ms_p50": round(statistics.median(alone), 1),
        "prove_cpu_ms": round(used / len(identifiers) * 1000, 1),
        "prove_ms_p95": round(statistics.quantiles(made, n=20)[-1], 1),
        "check_ms_p50": round(statistics.median(checked), 1),
        "file_bytes": round(statistics.mean(sizes)),
    }


def _fill(trail: SealedTrail, rows: int, partitions: int) -> list[str]:
    """Keep and seal `rows` events; returns the ids of some."""
    draw = random.Random(1)
    known = [_event(draw, number) for number in range(DISTINCT)]
    trail.schema("activity")
    some, at = [], datetime(2026, 1, 1, tzinfo=UTC)
    for first in range(0, rows, BLOCK):
        partition, at = (first // BLOCK) % partitions, at + timedelta(minutes=10)
        messages = []
        for number in range(first, min(first + BLOCK, rows)):
            key, message = known[number % DISTINCT]
            identifier = str(uuid.UUID(int=draw.getrandbits(128)))
            messages.append((key, message[: _ID.start] + identifier.encode() + message[_ID.stop :]))
            if number % 500 == 0:
                some.append(identifier)
        trail.keep_sealed(trail.grown_events(partition), messages, at, SEALED_EVERY)
        print(f"{first + len(messages):,}", end="\r", file=sys.stderr, flush=True)
    return some


if __name__ == "__main__":
    typer.run(main)
