"""Decides what the stack of one machine is made of: broker, ClickHouse endpoint, worker, sink, sealer, reviser.

Kafka and ClickHouse of one's own take the place of the local ones. The broker counts as ready when the topics
stand, so none of our processes ever starts without them. The sealer keeps key and state in
`data_dir/sealer`, its archive in `data_dir/archive` unless the settings say otherwise.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from inzage.console.output import say
from inzage.deploy.local.clickhouse.endpoint import Endpoint
from inzage.deploy.local.kafka import Broker
from inzage.deploy.local.ports import free_port
from inzage.deploy.local.supervisor import Service
from inzage.deploy.local.topics import ensure_topics
from inzage.schemas.errors import TransientError
from inzage.schemas.settings import ClickHouseSettings, KafkaSettings, Settings


@dataclass(frozen=True, slots=True)
class Stack:
    """The services to supervise, and the settings with which to reach them."""

    settings: Settings
    services: tuple[Service, ...]

    @property
    def env(self) -> dict[str, str]:
        """The settings as a command of ours reads them from its environment."""
        return _env(self.settings)


def compose(
    settings: Settings,
    data_dir: Path,
    *,
    kafka: str | None = None,
    clickhouse: str | None = None,
    kafka_port: int = 0,
    clickhouse_port: int = 0,
) -> Stack:
    """The stack on `data_dir`. `kafka` and `clickhouse` name servers that run already; port 0 takes a free one.

    Topics and tables of servers that run already are brought up to date here; raises `ConfigError` and
    `TransientError` when that cannot be.
    """
    local = [
        _local_kafka(data_dir, kafka_port or free_port()) if kafka is None else None,
        _local_clickhouse(data_dir, clickhouse_port or free_port()) if clickhouse is None else None,
    ]
    broker, endpoint = local
    settings = settings.model_copy(
        update={
            "data_dir": data_dir.absolute(),
            "kafka": _at_kafka(settings.kafka, kafka or f"127.0.0.1:{_port(broker)}"),
            "clickhouse": _at_clickhouse(settings.clickhouse, clickhouse or f"http://127.0.0.1:{_port(endpoint)}"),
        }
    )
    services = []
    if broker is not None:
        services.append(_with_topics(broker, settings))
    else:
        ensure_topics(settings, settings.controllers)
    if endpoint is not None:
        services.append(endpoint)
    else:
        _bring_up_to_date(settings)
    for name in ("worker", "sink", "sealer", "reviser"):
        command = [sys.executable, "-m", "inzage.console.main", name]
        services.append(
            Service(name, command, env=_env(settings), depends_on=[service.name for service in services[:2]])
        )
    return Stack(settings, tuple(services))


def _local_kafka(data_dir: Path, port: int) -> Service:
    broker = Broker(data_dir / "kafka", port=port)
    return Service("kafka", broker.command, ready=broker.ready, ports={port: "--kafka-port"})


def _local_clickhouse(data_dir: Path, port: int) -> Service:
    endpoint = Endpoint(data_dir / "clickhouse", port=port)
    return Service("clickhouse", endpoint.command, ready=endpoint.ready, ports={port: "--clickhouse-port"})


def _port(service: Service | None) -> int:
    assert service is not None, "a server is local or named"
    return next(iter(service.ports))


def _with_topics(broker: Service, settings: Settings) -> Service:
    """The broker, ready when its topics stand."""
    answers = broker.ready
    assert answers is not None
    return Service(broker.name, broker.argv, ready=_topics_stand(answers, settings), ports=broker.ports)


def _topics_stand(answers: Callable[[], bool], settings: Settings) -> Callable[[], bool]:
    def ready() -> bool:
        try:
            if answers():
                ensure_topics(settings, settings.controllers)
                return True
        except TransientError:
            pass  # it answers, but not yet all it is asked
        return False

    return ready


def _bring_up_to_date(settings: Settings) -> None:
    from inzage.sinks.connection import open_clickhouse
    from inzage.sinks.migrations import migrate, waiting

    client = open_clickhouse(settings.clickhouse, answer_within=60.0)

    def execute(statement: str) -> str:
        if statement.startswith("SELECT"):
            rows: bytes = client.raw_query(statement, fmt="TSV")
            return rows.decode()
        client.command(statement)
        return ""

    try:
        migrate(execute, settings.clickhouse.database)
        if waiting(execute, settings.clickhouse.database):
            say("this ClickHouse keeps no roles of its own: see docs/guide/roles.md for its users file")
    finally:
        client.close()


def _at_kafka(kafka: KafkaSettings, servers: str) -> KafkaSettings:
    return kafka.model_copy(update={"bootstrap_servers": servers})


def _at_clickhouse(clickhouse: ClickHouseSettings, url: str) -> ClickHouseSettings:
    return clickhouse.model_copy(update={"url": url})


def _env(settings: Settings) -> dict[str, str]:
    return {
        "INZAGE_CONTROLLERS": json.dumps(settings.controllers),
        "INZAGE_DATA_DIR": str(settings.data_dir),
        "INZAGE_KAFKA__BOOTSTRAP_SERVERS": settings.kafka.bootstrap_servers,
        "INZAGE_KAFKA__PARTITIONS": str(settings.kafka.partitions),
        "INZAGE_CLICKHOUSE__URL": settings.clickhouse.url,
    }
