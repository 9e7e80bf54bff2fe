"""Decides which broker runs on this machine and keeps its log in one directory: a single Apache Kafka.

Without Java 17 or Maven it is Tansu, which keeps the log in memory only; one line on stderr says so. Both
listen on 127.0.0.1 alone. As a program it becomes the broker, so that a supervisor signals it directly:

    python -m inzage.deploy.local.kafka --data DIRECTORY [--port 9092]
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Annotated, Literal, Self

import typer
from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError

from inzage.deploy.local import artefacts, kraft
from inzage.deploy.local.ports import LOOPBACK, answers, free_port
from inzage.deploy.local.processes import STOP_WITHIN, start_child, stop_child
from inzage.schemas.errors import InzageError, TransientError

Kind = Literal["apache-kafka", "tansu"]
READY_WITHIN = timedelta(seconds=60)


class Broker:
    """One broker on this machine; a context manager that starts it, waits until it answers and stops it.

    `data_dir` keeps records (Apache Kafka only), configuration and the broker's own log; starting again on
    the same directory finds the records again. `port` 0 takes a free one, which then stays for this object.
    """

    def __init__(self, data_dir: Path, *, port: int = 0, heap_megabytes: int = 512) -> None:
        self.data_dir = data_dir.absolute()
        self.port = port or free_port()
        self.kind: Kind = "apache-kafka"
        self._heap_megabytes = heap_megabytes
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def bootstrap_servers(self) -> str:
        return f"{LOOPBACK}:{self.port}"

    @property
    def pid(self) -> int | None:
        """The running broker's process id, None when it is not running."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def prepare(self) -> list[str]:
        """Fetch the broker, lay out `data_dir` and return the command that runs it in the foreground.

        Decides `kind`. Raises `ArtefactError` when neither broker can be had.
        """
        self.data_dir.mkdir(parents=True, exist_ok=True)
        try:
            java, jars = artefacts.java(), artefacts.kafka_jars()
        except artefacts.ArtefactError as error:
            binary = artefacts.tansu_binary()
            self.kind = "tansu"
            sys.stderr.write(f"Apache Kafka cannot be had ({error}): Tansu keeps the log in memory only\n")
            return _tansu_command(binary, self.port)
        node = kraft.Node(self.data_dir, self.port, free_port())
        return node.prepare(java, jars, heap_megabytes=self._heap_megabytes)

    def start(self) -> None:
        """Start the broker as a child of this process; does not wait for it."""
        self._process = start_child(self.prepare(), output=self.data_dir / "broker.out")

    def stop(self, within: timedelta = STOP_WITHIN) -> None:
        """End the broker: SIGTERM, then SIGKILL when `within` has passed."""
        if self._process:
            stop_child(self._process, within=within)
            self._process = None

    def wait_ready(self, timeout: timedelta = READY_WITHIN) -> None:
        """Return when the broker answers with its metadata; raises `TransientError` when it does not."""
        give_up = time.monotonic() + timeout.total_seconds()
        while time.monotonic() < give_up:
            if self._process and self._process.poll() is not None:
                raise TransientError(
                    f"the broker ended with exit code {self._process.returncode}",
                    hint=f"its last words are in {self.data_dir}",
                )
            if self.ready():
                return
            time.sleep(0.05)
        raise TransientError(f"the broker did not answer on {self.bootstrap_servers} in {timeout}")

    def ready(self) -> bool:
        """Whether a client gets this broker's metadata now."""
        return answers(self.port) and _names_a_broker(self.bootstrap_servers)

    def __enter__(self) -> Self:
        self.start()
        try:
            self.wait_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _names_a_broker(bootstrap_servers: str) -> bool:
    try:
        admin = KafkaAdminClient(bootstrap_servers=bootstrap_servers, bootstrap_timeout_ms=2_000)
    except (KafkaError, OSError):
        return False
    try:
        return bool(admin.describe_cluster()["brokers"])
    except (KafkaError, OSError):
        return False
    finally:
        admin.close()


def _tansu_command(binary: Path, port: int) -> list[str]:
    url = f"tcp://{LOOPBACK}:{port}"
    where = ["--listener-url", url, "--advertised-listener-url", url]
    return [str(binary), "broker", *where, "--storage-engine", "memory://tansu/"]


def main(
    data: Annotated[Path, typer.Option(help="Directory of the records; created when missing.")],
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1.")] = 9092,
) -> None:
    """Run the broker in the foreground until it is signalled."""
    try:
        command = Broker(data, port=port).prepare()
    except InzageError as error:
        sys.stderr.write(error.diagnostics() + "\n")
        raise typer.Exit(2) from error
    os.execv(command[0], command)  # noqa: S606 - signals of a supervisor then reach the broker itself


if __name__ == "__main__":
    typer.run(main)
