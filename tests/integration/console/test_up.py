"""`inzage up` on real processes: it comes up, refuses a second of its kind, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

UP = [sys.executable, "-m", "inzage.console.main", "up", "--kafka-port", "0", "--clickhouse-port", "0"]
READY_WITHIN = 240.0
ENDED_WITHIN = 120.0

pytestmark = [pytest.mark.kafka, pytest.mark.slow]


@contextmanager
def running(data: Path, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """`inzage up` on `data`, once it says that it is up."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*UP, "--data", str(data)], stdout=output, stderr=subprocess.STDOUT, env=_env(), start_new_session=True
        )
    try:
        give_up = time.monotonic() + READY_WITHIN
        while "Inzage is up" not in log.read_text("utf-8"):
            assert process.poll() is None, log.read_text("utf-8")
            assert time.monotonic() < give_up, log.read_text("utf-8")
            time.sleep(0.1)
        yield process
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def test_it_comes_up_once_and_ctrl_c_leaves_nothing(tmp_path: Path) -> None:
    data, log = tmp_path / "data", tmp_path / "log"
    with running(data, log) as process:
        children = psutil.Process(process.pid).children(recursive=True)
        assert len(children) == 6
        second = subprocess.run(
            [*UP, "--data", str(data)], env=_env(), capture_output=True, text=True, timeout=240, check=False
        )
        assert second.returncode == 2
        assert "is in use by another process" in second.stderr
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
        assert process.wait(ENDED_WITHIN) == 0
        assert psutil.wait_procs(children, timeout=1)[1] == []
    assert "stopped" in log.read_text("utf-8")


def test_a_taken_port_is_named_with_its_option(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = subprocess.run(
            [*UP, "--data", str(tmp_path), "--clickhouse-port", str(port)],
            env=_env(),
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
    assert ended.returncode == 2
    assert f"port {port} is taken (--clickhouse-port)" in ended.stderr


def _env() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("INZAGE_")}
