"""Decides how Apache Kafka's single node is configured and started, without its shell scripts.

Combined mode: broker and controller in one process (KIP-500). Everything that is replicated elsewhere has
factor one here; the records, the configuration and the broker's own log lie below the data directory.
"""

from __future__ import annotations

import base64
import subprocess
import tempfile
import time
import uuid
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from inzage.deploy.local.artefacts import ArtefactError, cache_dir
from inzage.deploy.local.ports import LOOPBACK, answers, free_port
from inzage.deploy.local.processes import start_child, stop_child

TRAIN_WITHIN = timedelta(seconds=60)

_PROPERTIES = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "auto.create.topics.enable": "false",
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "4",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "1000",  # default 6000: fault tests wait for it
    # After a kill the node waits until the controller forgets its former self; default 9000, a slow restart.
    "broker.session.timeout.ms": "3000",
    "broker.heartbeat.interval.ms": "500",
    "log.cleaner.dedupe.buffer.size": str(16 << 20),  # default 128 MB: a quarter of this heap
}

_LOG4J = """\
status = error
appender.file.type = RollingFile
appender.file.name = file
appender.file.fileName = {path}
appender.file.filePattern = {path}.%i
appender.file.layout.type = PatternLayout
appender.file.layout.pattern = %d{{ISO8601_OFFSET_DATE_TIME_HHMM}} %p %c{{1}} %m%n
appender.file.policies.type = Policies
appender.file.policies.size.type = SizeBasedTriggeringPolicy
appender.file.policies.size.size = 10MB
appender.file.strategy.type = DefaultRolloverStrategy
appender.file.strategy.max = 2
rootLogger.level = info
rootLogger.appenderRef.file.ref = file
"""


@dataclass(frozen=True, slots=True)
class Node:
    """One Kafka node on a data directory. The controller's port may change between starts."""

    data_dir: Path
    port: int
    controller_port: int

    def prepare(self, java: Path, jars: Path, *, heap_megabytes: int) -> list[str]:
        """Write the configuration, format an empty directory, return the command of the broker."""
        self._configure(java, jars)
        archive = class_archive(java, jars)
        return [*self._java(java, jars, heap_megabytes), f"-XX:SharedArchiveFile={archive}", *self._main]

    def train(self, java: Path, jars: Path, archive: Path) -> None:
        """Start and stop once, writing the loaded classes to `archive`."""
        self._configure(java, jars)
        command = [*self._java(java, jars, 256), f"-XX:ArchiveClassesAtExit={archive}", *self._main]
        process = start_child(command, output=self.data_dir / "broker.out")
        try:
            give_up = time.monotonic() + TRAIN_WITHIN.total_seconds()
            while process.poll() is None and not answers(self.port) and time.monotonic() < give_up:
                time.sleep(0.1)
        finally:
            stop_child(process, within=TRAIN_WITHIN)

    @property
    def _properties(self) -> Path:
        return self.data_dir / "server.properties"

    @property
    def _main(self) -> list[str]:
        return ["kafka.Kafka", str(self._properties)]

    def _java(self, java: Path, jars: Path, heap_megabytes: int) -> list[str]:
        # A serial collector, the first compiler only and a shared class archive: ready in 1.5 s instead of 4.
        # The second compiler gained nothing in 0.9 million records and cost broker time (0.7 to 0.6 s per
        # 300,000 records of 300 bytes), so it is left out.
        memory = [f"-Xms{heap_megabytes // 2}m", f"-Xmx{heap_megabytes}m", "-XX:+UseSerialGC"]
        compiler = "-XX:TieredStopAtLevel=1"
        log4j = f"-Dlog4j2.configurationFile={(self.data_dir / 'log4j2.properties').as_uri()}"
        quiet = "-Xlog:disable"  # an archive of another Java is ignored with a warning: say nothing
        return [str(java), *memory, compiler, quiet, "-Djava.awt.headless=true", log4j, "-cp", f"{jars}/*"]

    def _configure(self, java: Path, jars: Path) -> None:
        records = self.data_dir / "records"
        self.data_dir.mkdir(parents=True, exist_ok=True)
        listeners = f"PLAINTEXT://{LOOPBACK}:{self.port},CONTROLLER://{LOOPBACK}:{self.controller_port}"
        settings = {
            **_PROPERTIES,
            "listeners": listeners,
            "controller.quorum.voters": f"1@{LOOPBACK}:{self.controller_port}",
            "log.dirs": str(records),
        }
        text = "".join(f"{key}={value}\n" for key, value in settings.items())
        self._properties.write_text(text, encoding="utf-8")
        log4j = _LOG4J.format(path=self.data_dir / "broker.log")
        (self.data_dir / "log4j2.properties").write_text(log4j, encoding="utf-8")
        if not (records / "meta.properties").exists():
            self._format(java, jars)

    def _format(self, java: Path, jars: Path) -> None:
        cluster_id = "-"
        while cluster_id.startswith("-"):  # Kafka's tool takes that for another option
            cluster_id = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        tool = [*self._java(java, jars, 128), "kafka.tools.StorageTool"]
        command = [*tool, "format", "-t", cluster_id, "-c", str(self._properties)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        if done.returncode:
            said = (done.stderr or done.stdout).strip().splitlines()
            raise ArtefactError(f"Kafka's directory cannot be formatted: {said[-1] if said else done.returncode}")


def class_archive(java: Path, jars: Path) -> Path:
    """Kafka's classes as the JVM maps them (JEP 350), made once: it starts in 2 s instead of 4.

    An archive of another Java version is ignored by the JVM; delete it from the cache to make it anew.
    """
    archive = cache_dir() / f"{jars.name}.jsa"
    if not archive.exists():
        with tempfile.TemporaryDirectory(prefix=".train-", dir=cache_dir()) as temporary:
            made = Path(temporary) / "classes.jsa"
            Node(Path(temporary) / "node", free_port(), free_port()).train(java, jars, made)
            if made.exists():
                made.replace(archive)
    return archive
