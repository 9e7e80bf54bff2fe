"""Decides which broker runs on this machine and keeps its log in one directory: a single Apache Kafka.

Without Java 17 or Maven it is Tansu, which keeps the log in memory only; one line on stderr says so. Both
listen on 127.0.0.1 alone. As a program it becomes the broker, so that a supervisor signals it directly:

    python -m inzage.deploy.local.kafka --data DIRECTORY [--port 9092]
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer
from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError

from inzage.deploy.local import artefacts, kraft
from inzage.deploy.local.child import ChildService
from inzage.deploy.local.ports import LOOPBACK, answers, free_port
from inzage.schemas.errors import InzageError

Kind = Literal["apache-kafka", "tansu"]


class Broker(ChildService):
    """One broker on this machine; a context manager that starts it, waits until it answers and stops it.

    `data_dir` keeps records (Apache Kafka only), configuration and the broker's own log; starting again on
    the same directory finds the records again. `port` 0 takes a free one, which then stays for this object.
    """

    name = "kafka"

    def __init__(self, data_dir: Path, *, port: int = 0, heap_megabytes: int = 512) -> None:
        super().__init__(data_dir)
        self.port = port or free_port()
        self.kind: Kind = "apache-kafka"
        self._heap_megabytes = heap_megabytes

    @property
    def bootstrap_servers(self) -> str:
        return f"{LOOPBACK}:{self.port}"

    @property
    def command(self) -> list[str]:
        """The program that prepares and becomes this broker, for a supervisor."""
        module = [sys.executable, "-m", "inzage.deploy.local.kafka"]
        return [*module, "--data", str(self.data_dir), "--port", str(self.port)]

    def prepare(self) -> list[str]:
        """Fetch the broker, lay out `data_dir` and return the broker's own command.

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

    def ready(self) -> bool:
        return answers(self.port) and _names_a_broker(self.bootstrap_servers)


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
