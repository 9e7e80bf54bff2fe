"""The sink as a process: its exit codes, and that INSERT and SELECT are all it needs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from inzage.deploy.local.clickhouse.access import Access
from inzage.deploy.local.clickhouse.endpoint import Endpoint
from inzage.deploy.local.kafka import Broker
from inzage.deploy.local.ports import free_port
from inzage.schemas.settings import Settings
from inzage.sinks.connection import open_clickhouse
from inzage.sinks.migrations import DATABASE
from tests.trail_stack import Stack, stack_on

pytestmark = pytest.mark.kafka


def _run(settings: Settings) -> subprocess.Popen[bytes]:
    environment = {
        **os.environ,
        "INZAGE_CONTROLLERS": f'["{settings.controllers[0]}"]',
        "INZAGE_KAFKA__BOOTSTRAP_SERVERS": settings.kafka.bootstrap_servers,
        "INZAGE_DATA_DIR": str(settings.data_dir),
        "INZAGE_CLICKHOUSE__URL": settings.clickhouse.url,
        "INZAGE_CLICKHOUSE__DATABASE": settings.clickhouse.database,
    }
    command = [sys.executable, "-m", "inzage.console.main", "sink"]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def test_exit_codes_tell_a_wrong_setting_from_what_may_pass(broker: Broker, clickhouse: Endpoint) -> None:
    kafka = {"bootstrap_servers": broker.bootstrap_servers}
    missing = Settings(controllers=("NOBODY",), kafka=kafka, clickhouse={"url": clickhouse.url})
    away = {"url": f"http://127.0.0.1:{free_port()}"}
    for settings, code in ((missing, 2), (Settings(kafka=kafka, clickhouse=away), 70)):
        sink = _run(settings)
        assert (sink.wait(120), sink.communicate()[0]) == (code, b"")


def test_insert_and_select_are_all_it_needs(
    broker: Broker, clickhouse: Endpoint, clickhouse_factory: Callable[..., Endpoint], tmp_path: Path
) -> None:
    """The endpoint applies the migrations and then grants no more; the sink finds its password and fills it."""
    granted = clickhouse_factory(tmp_path / "clickhouse", Access.APPEND_ONLY, True)
    with stack_on(broker, clickhouse) as stack:
        stack.send_activities(range(20))
        settings = stack.settings.model_copy(
            update={
                "data_dir": tmp_path,
                "clickhouse": stack.settings.clickhouse.model_copy(update={"url": granted.url, "database": DATABASE}),
            }
        )
        sink = _run(settings)
        client = open_clickhouse(settings.clickhouse, answer_within=10)
        trail = Stack(settings, stack.controller, client)
        try:
            give_up = time.monotonic() + 120
            while trail.held() < 20 and time.monotonic() < give_up:
                time.sleep(0.1)
            assert trail.offsets() == list(range(20))
        finally:
            client.close()
            sink.send_signal(signal.SIGTERM)
            assert sink.wait(120) == 0
            sink.communicate()
