"""Decides when the stack's processes start, start again and stop: one supervisor to a data directory.

Services start in order, each when those before it are ready. One that ends is started again: at once when it
asks for it (exit code 70), after a growing pause otherwise. Repeated quick deaths, or wrong settings (exit
code 2), end the stack with a message that names the log. SIGINT and SIGTERM stop everything in reverse order;
the services of a supervisor that was killed are killed by the kernel (`tether`).
"""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from subprocess import Popen
from types import FrameType

from inzage.deploy.local.directory import DirectoryLock
from inzage.deploy.local.ports import require_free
from inzage.deploy.local.processes import start_child, stop_child
from inzage.schemas.errors import ConfigError, InzageError

EXIT_RESTART_ME = 70
"""EX_SOFTWARE of sysexits.h: the worker's word for an error it could not judge, to begin again from Kafka."""

EXIT_CONFIG = 2
"""Settings or arguments are wrong: starting again would not help."""


@dataclass(frozen=True, slots=True)
class Service:
    """A process of the stack. `env` is added to the supervisor's own environment.

    `ready` says whether it answers; None: it is ready when it runs. `ports` maps each port it listens on
    (on 127.0.0.1) to the setting that chose it.
    """

    name: str
    argv: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)
    ready: Callable[[], bool] | None = None
    depends_on: Sequence[str] = ()
    ports: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RestartPolicy:
    """How patient the supervisor is."""

    ready_within: timedelta = timedelta(seconds=90)
    stop_within: timedelta = timedelta(seconds=20)
    first_pause: timedelta = timedelta(seconds=0.5)
    longest_pause: timedelta = timedelta(seconds=30)
    quick_death: timedelta = timedelta(seconds=10)
    """A service that ran longer starts with a clean slate."""
    quick_deaths: int = 5

    def pause(self, deaths: int, exit_code: int) -> timedelta:
        """Before the start that follows the `deaths`-th quick death in a row; doubles from `first_pause`."""
        if exit_code == EXIT_RESTART_ME:
            return timedelta(0)
        doubled: timedelta = self.first_pause * (1 << max(deaths - 1, 0))
        return min(doubled, self.longest_pause)


class ServiceFailedError(InzageError):
    """A service did not become ready or kept dying: the stack was stopped."""

    code = "local.service-failed"


@dataclass(slots=True)
class _Running:
    service: Service
    process: Popen[bytes]
    started: float
    deaths: int = 0
    start_again_at: float | None = None


class Supervisor:
    """Runs `services` on `data_dir`; `say` gets one line for a person at every change."""

    def __init__(
        self,
        services: Sequence[Service],
        data_dir: Path,
        *,
        policy: RestartPolicy | None = None,
        say: Callable[[str], None] | None = None,
    ) -> None:
        self._services = _checked_order(services)
        self._data_dir = data_dir
        self._policy = policy or RestartPolicy()
        self._say = say or _to_stderr
        self._running: dict[str, _Running] = {}
        self._stop = threading.Event()

    def run(self, on_ready: Callable[[], None] | None = None) -> None:
        """Run the stack until SIGINT, SIGTERM or `stop()`; call from the main thread.

        `on_ready` is called once, when all services are ready. Raises `ConfigError` when the directory or a
        port is taken, `ServiceFailedError` when a service cannot be kept up; nothing is left running.
        """
        lock = DirectoryLock(self._data_dir, "the local stack is up on it")
        before = {number: signal.signal(number, self._signalled) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            for service in self._services:
                for port, setting in service.ports.items():
                    require_free(port, setting)
            for service in self._services:
                self._start(service)
                self._await_ready(service)
            if on_ready and not self._stop.is_set():
                on_ready()
            while not self._stop.wait(0.1):
                self._look_after()
        finally:
            self._stop_all()
            for number, handler in before.items():
                signal.signal(number, handler)
            lock.release()

    def stop(self) -> None:
        """Make `run` stop everything and return; from any thread."""
        self._stop.set()

    def pids(self) -> dict[str, int]:
        """Process ids of the services that run now."""
        return {name: one.process.pid for name, one in self._running.items() if one.process.poll() is None}

    def log_file(self, service: str) -> Path:
        """Where stdout and stderr of `service` go."""
        return self._data_dir / "log" / f"{service}.log"

    def _start(self, service: Service, deaths: int = 0) -> None:
        if self._stop.is_set():
            return
        process = start_child(service.argv, env=service.env, output=self.log_file(service.name))
        self._running[service.name] = _Running(service, process, time.monotonic(), deaths)

    def _await_ready(self, service: Service) -> None:
        give_up = time.monotonic() + self._policy.ready_within.total_seconds()
        while not self._stop.is_set():
            self._look_after()
            one = self._running[service.name]
            if one.process.poll() is None and (service.ready is None or service.ready()):
                self._say(f"{service.name} is ready")
                return
            if time.monotonic() > give_up:
                within = self._policy.ready_within.total_seconds()
                raise self._failed(service, f"was not ready after {within:.0f} s")
            self._stop.wait(0.05)

    def _look_after(self) -> None:
        """Start again what died, when its pause is over."""
        now = time.monotonic()
        for one in list(self._running.values()):
            code = one.process.poll()
            if code is None:
                continue
            if one.start_again_at is None:
                self._buried(one, code, now)
            if one.start_again_at is not None and now >= one.start_again_at:
                self._start(one.service, one.deaths)

    def _buried(self, one: _Running, code: int, now: float) -> None:
        quick = now - one.started < self._policy.quick_death.total_seconds()
        one.deaths = one.deaths + 1 if quick else 1
        if code == EXIT_CONFIG:
            raise self._failed(one.service, "cannot run with these settings")
        if one.deaths > self._policy.quick_deaths:
            raise self._failed(one.service, f"ended {one.deaths} times in a row, last with exit code {code}")
        pause = self._policy.pause(one.deaths, code)
        one.start_again_at = now + pause.total_seconds()
        self._say(f"{one.service.name} ended with exit code {code}; starts again in {pause.total_seconds():g} s")

    def _failed(self, service: Service, how: str) -> ServiceFailedError:
        return ServiceFailedError(f"{service.name} {how}", hint=f"see {self.log_file(service.name)}")

    def _stop_all(self) -> None:
        """In reverse order, each with a deadline, so that a sink still reaches its ClickHouse."""
        for service in reversed(self._services):
            one = self._running.pop(service.name, None)
            if one:
                stop_child(one.process, within=self._policy.stop_within)

    def _signalled(self, number: int, frame: FrameType | None) -> None:
        self._stop.set()


def _to_stderr(line: str) -> None:
    sys.stderr.write(line + "\n")


def _checked_order(services: Sequence[Service]) -> tuple[Service, ...]:
    """`services` as given; each may depend only on earlier ones, which is the order they start in."""
    earlier: set[str] = set()
    for service in services:
        if service.name in earlier:
            raise ConfigError(f"two services are named {service.name}", code="config.services")
        later = [name for name in service.depends_on if name not in earlier]
        if later:
            raise ConfigError(f"{service.name} starts before {', '.join(later)}", code="config.services")
        earlier.add(service.name)
    return tuple(services)
