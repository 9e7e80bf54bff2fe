"""Killed at any instant, a witness never cosigns two roots of one size, nor a smaller size after a larger one."""

from __future__ import annotations

import multiprocessing
import random
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import pytest
import urllib3
from urllib3.exceptions import HTTPError

from inzage.deploy.local.ports import answers, free_port
from inzage.sinks.ledger.note import Signer
from tests.faults import fatal_witness
from tests.meta_log import MetaLog

SEALER = Signer.generate("sealer.example")
LOG = MetaLog(SEALER, leaves=3000)
FORK = MetaLog(SEALER, leaves=3000, forked_at=7)
KILLS = 30


CHILDREN = multiprocessing.get_context("forkserver")
CHILDREN.set_forkserver_preload(["tests.faults.fatal_witness"])  # a witness a kill: importing it takes longer


@contextmanager
def running(folder: Path, port: int, point: str = "never") -> Iterator[ForkServerProcess]:
    child = CHILDREN.Process(target=fatal_witness.main, args=(str(folder), str(port), str(SEALER.verifier), point))
    child.start()
    try:
        give_up = time.monotonic() + 90
        while not answers(port):
            assert child.is_alive()
            assert time.monotonic() < give_up
            time.sleep(0.005)
        yield child
    finally:
        child.kill()
        child.join()


def submit(port: int, log: MetaLog, old: int, size: int) -> tuple[int, bytes]:
    """Status and body; 0 when the connection breaks."""
    try:
        url = f"http://127.0.0.1:{port}/add-checkpoint"
        answer = urllib3.request("POST", url, body=log.submission(old, size).encode(), retries=False, timeout=10)
        return answer.status, answer.data
    except (HTTPError, OSError):
        return 0, b""


@pytest.mark.parametrize("point", ["before-persist", "after-persist", "after-sign"])
def test_killed_between_what_it_keeps_and_what_it_says(tmp_path: Path, point: str) -> None:
    port = free_port()
    with running(tmp_path, port, point) as child:
        assert submit(port, LOG, 0, 5)[0] == 200
        assert submit(port, LOG, 5, 10)[0] == 0
        child.join(10)
        assert child.exitcode == -signal.SIGKILL
    with running(tmp_path, port):
        if point == "before-persist":
            assert submit(port, FORK, 10, 10) == (409, b"5\n"), "nothing of the larger size was kept"
            assert submit(port, LOG, 5, 10)[0] == 200
        else:
            assert submit(port, FORK, 5, 10) == (409, b"10\n"), "it might have been answered, so it holds"
            assert submit(port, LOG, 10, 10)[0] == 200
        assert submit(port, FORK, 10, 10)[0] == 409
        assert submit(port, FORK, 10, 20)[0] == 422
        assert submit(port, LOG, 10, 20)[0] == 200


@pytest.mark.slow
def test_killed_at_any_instant_while_two_stories_are_told(tmp_path: Path) -> None:
    port, stop = free_port(), threading.Event()
    cosigned: list[tuple[float, float, int, MetaLog]] = []

    def tell(log: MetaLog, seed: int) -> None:
        sizes, at = random.Random(seed), 0
        while not stop.is_set():
            size = min(at + sizes.randint(0, 4), log.leaves)
            begun = time.monotonic()
            status, body = submit(port, log, at, size)
            if status == 200:
                cosigned.append((begun, time.monotonic(), size, log))
                at = size
            elif status == 409 and body.strip().isdigit() and int(body) <= log.leaves:
                at = int(body)
            else:
                time.sleep(0.005)

    tellers = [threading.Thread(target=tell, args=(log, seed)) for seed, log in enumerate((LOG, FORK, LOG, FORK))]
    for teller in tellers:
        teller.start()
    try:
        instants = random.Random(3161)
        for _ in range(KILLS):
            enough = len(cosigned) + instants.randint(1, 3)
            with running(tmp_path, port):
                give_up = time.monotonic() + 60
                while len(cosigned) < enough and time.monotonic() < give_up:
                    time.sleep(0.001)
                time.sleep(instants.uniform(0.0, 0.02))
    finally:
        stop.set()
        for teller in tellers:
            teller.join()
    assert len(cosigned) >= KILLS
    roots = {(size, log.checkpoint(size).root) for _, _, size, log in cosigned}
    assert len(roots) == len({size for size, _ in roots}), "two roots of one size"
    assert len({id(log) for _, _, size, log in cosigned if size > 7}) <= 1, "two stories"
    for _, ended, size, _ in cosigned:
        assert all(later >= size for begun, _, later, _ in cosigned if begun > ended), "a smaller size after a larger"
