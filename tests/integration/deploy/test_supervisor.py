"""The supervisor keeps real processes up, and leaves none behind however it ends."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import psutil
import pytest

from inzage.deploy.local.supervisor import RestartPolicy, Service, ServiceFailedError, Supervisor
from inzage.schemas.errors import ConfigError

SLEEP = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(60)"]
DEAF = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(15, signal.SIG_IGN); print('up', flush=True); time.sleep(60)",
]
PATIENT = RestartPolicy(first_pause=timedelta(milliseconds=50), stop_within=timedelta(seconds=5))


def until(condition: Callable[[], bool], within: float = 60.0) -> None:
    give_up = time.monotonic() + within
    while not condition():
        assert time.monotonic() < give_up, "it did not happen in time"
        time.sleep(0.02)


def gone(pid: int) -> bool:
    """A zombie that nobody reaps yet is gone too."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def run_while(supervisor: Supervisor, scene: Callable[[], None]) -> None:
    """Run the supervisor here, in the main thread, and `scene` beside it; then stop."""
    failures: list[BaseException] = []

    def play() -> None:
        try:
            scene()
        except BaseException as error:
            failures.append(error)
        finally:
            supervisor.stop()

    thread = threading.Thread(target=play)
    supervisor.run(on_ready=thread.start)
    thread.join()
    if failures:
        raise failures[0]


def test_killed_child_is_started_again_and_none_is_left(tmp_path: Path) -> None:
    supervisor = Supervisor([Service("one", SLEEP), Service("two", SLEEP)], tmp_path, policy=PATIENT)
    seen: set[int] = set()

    def scene() -> None:
        first = supervisor.pids()
        seen.update(first.values())
        os.kill(first["two"], signal.SIGKILL)
        until(lambda: supervisor.pids().get("two") not in (None, first["two"]))
        seen.update(supervisor.pids().values())
        assert supervisor.pids()["one"] == first["one"]

    run_while(supervisor, scene)
    assert len(seen) == 3
    assert all(gone(pid) for pid in seen)


def test_exit_code_70_skips_the_pause(tmp_path: Path) -> None:
    """The second life of the child finds the mark of the first and stays."""
    mark = tmp_path / "mark"
    once = (
        f"import pathlib, sys, time; mark = pathlib.Path({str(mark)!r})\n"
        "if mark.exists(): time.sleep(60)\n"
        "mark.touch(); sys.exit(70)"
    )
    policy = RestartPolicy(first_pause=timedelta(minutes=5))
    supervisor = Supervisor([Service("worker", [sys.executable, "-c", once])], tmp_path, policy=policy)

    def scene() -> None:
        until(mark.exists)
        until(lambda: "worker" in supervisor.pids())

    run_while(supervisor, scene)


@pytest.mark.parametrize(("code", "starts"), [(1, 4), (70, 4), (2, 1)])
def test_gives_up_on_a_service_that_keeps_dying(tmp_path: Path, code: int, starts: int) -> None:
    """After repeated quick deaths, at once for wrong settings; what ran before it is stopped."""
    dying = [sys.executable, "-c", f"print('started', flush=True); raise SystemExit({code})"]
    policy = RestartPolicy(first_pause=timedelta(milliseconds=10), quick_deaths=3)
    services = [Service("kafka", SLEEP), Service("worker", dying, ready=lambda: False)]
    supervisor = Supervisor(services, tmp_path, policy=policy)
    with pytest.raises(ServiceFailedError) as failed:
        supervisor.run()
    assert "worker" in str(failed.value) and "worker.log" in failed.value.diagnostics()
    assert supervisor.log_file("worker").read_text().count("started") == starts
    assert supervisor.pids() == {}


def test_stops_in_reverse_order_and_kills_the_deaf(tmp_path: Path) -> None:
    last_words = (
        "import pathlib, signal, sys, time\n"
        "def end(*_):\n"
        f"    with open({str(tmp_path / 'order')!r}, 'a') as file: file.write(sys.argv[1])\n"
        "    sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, end); print('up', flush=True); time.sleep(60)"
    )
    policy = RestartPolicy(stop_within=timedelta(seconds=1))
    logs = {name: tmp_path / "log" / f"{name}.log" for name in "abd"}
    services = [
        Service(
            name,
            DEAF if name == "d" else [sys.executable, "-c", last_words, name],
            ready=lambda log=logs[name]: "up" in log.read_text(),  # type: ignore[misc]
        )
        for name in "abd"
    ]
    supervisor = Supervisor(services, tmp_path, policy=policy)
    pids: list[int] = []
    run_while(supervisor, lambda: pids.extend(supervisor.pids().values()))
    assert (tmp_path / "order").read_text() == "ba"
    assert len(pids) == 3 and all(gone(pid) for pid in pids)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_no_orphan_is_left_by_a_signalled_supervisor(tmp_path: Path, number: int) -> None:
    """Also by one that is killed outright."""
    script = (
        "import pathlib, sys\n"
        "from inzage.deploy.local.supervisor import Service, Supervisor\n"
        f"data_dir = pathlib.Path({str(tmp_path)!r})\n"
        "def up(name): return 'up' in (data_dir / 'log' / f'{name}.log').read_text()\n"
        f"services = [Service(name, {SLEEP!r}, ready=lambda name=name: up(name)) for name in 'ab']\n"
        "one = Supervisor(services, data_dir)\n"
        "one.run(on_ready=lambda: print(*one.pids().values(), flush=True))\n"
    )
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process.stdout:
        pids = [int(word) for word in process.stdout.readline().split()]
    assert len(pids) == 2
    process.send_signal(number)
    code = process.wait(timeout=60)
    until(lambda: all(gone(pid) for pid in pids))
    assert code == (-signal.SIGKILL if number == signal.SIGKILL else 0)


def test_second_supervisor_on_the_directory_is_refused(tmp_path: Path) -> None:
    first = Supervisor([Service("one", SLEEP)], tmp_path, policy=PATIENT)

    def scene() -> None:
        script = (
            "import pathlib\n"
            "from inzage.deploy.local.supervisor import Supervisor\n"
            f"Supervisor([], pathlib.Path({str(tmp_path)!r})).run()"
        )
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120)
        assert "ConfigError" in done.stderr and str(tmp_path) in done.stderr

    run_while(first, scene)


def test_taken_port_is_named_with_its_setting(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        service = Service("clickhouse", SLEEP, ports={port: "clickhouse.url"})
        with pytest.raises(ConfigError, match=f"port {port} is taken .clickhouse.url") as refused:
            Supervisor([service], tmp_path).run()
    assert refused.value.code == "config.port-taken"


def test_program_that_is_not_there_is_a_failure_with_a_log(tmp_path: Path) -> None:
    policy = RestartPolicy(first_pause=timedelta(milliseconds=10), quick_deaths=1)
    supervisor = Supervisor([Service("ghost", ["/nowhere/ghost"], ready=lambda: False)], tmp_path, policy=policy)
    with pytest.raises(ServiceFailedError):
        supervisor.run()
    assert "cannot run /nowhere/ghost" in supervisor.log_file("ghost").read_text()
