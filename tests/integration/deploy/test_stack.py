"""Broker and endpoint run under the supervisor by their own commands, as the console composes them."""

from __future__ import annotations

import threading
from pathlib import Path

import clickhouse_connect
import psutil
import pytest
from kafka.admin import KafkaAdminClient

from inzage.deploy.local.clickhouse.endpoint import Endpoint
from inzage.deploy.local.kafka import Broker
from inzage.deploy.local.supervisor import Service, Supervisor


@pytest.mark.kafka
@pytest.mark.slow
def test_broker_and_endpoint_come_up_answer_and_go(tmp_path: Path) -> None:
    """The supervised process is the broker itself, so a signal needs no relay."""
    broker = Broker(tmp_path / "kafka", heap_megabytes=256)
    endpoint = Endpoint(tmp_path / "clickhouse", migrate=False)
    services = [
        Service("kafka", broker.command, ready=broker.ready, ports={broker.port: "kafka.bootstrap_servers"}),
        Service("clickhouse", endpoint.command, ready=endpoint.ready, ports={endpoint.port: "clickhouse.url"}),
    ]
    supervisor = Supervisor(services, tmp_path)
    seen: dict[str, int] = {}
    failures: list[BaseException] = []

    def scene() -> None:
        try:
            seen.update(supervisor.pids())
            assert "java" in psutil.Process(seen["kafka"]).name()
            admin = KafkaAdminClient(bootstrap_servers=broker.bootstrap_servers)
            assert admin.describe_cluster()["brokers"]
            admin.close()
            client = clickhouse_connect.get_client(host=endpoint.host, port=endpoint.port)
            assert client.command("SELECT 1") == 1
            client.close()
        except BaseException as error:
            failures.append(error)
        finally:
            supervisor.stop()

    thread = threading.Thread(target=scene)
    supervisor.run(on_ready=thread.start)
    thread.join()
    assert failures == []
    assert not any(psutil.pid_exists(pid) for pid in seen.values())
