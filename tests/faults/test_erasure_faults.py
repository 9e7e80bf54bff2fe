"""An erasure that is killed anywhere is finished by the same command, and is said as one event."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaConsumer, TopicPartition

from inzage.deploy.local.clickhouse.endpoint import Endpoint
from inzage.deploy.local.kafka import Broker
from inzage.schemas.codec import decode
from inzage.schemas.emitter import Emitter, SqlVault
from inzage.schemas.emitter.vault import URL_VARIABLE
from inzage.schemas.emitter.vault_data_keys import KeyState
from inzage.schemas.emitter.vault_key import KEY_FILE_VARIABLE, KEY_VARIABLE
from tests.faults.fatal_erasure import POINTS
from tests.trail_stack import Stack, stack_on

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

PERSON = "member:4711"


@pytest.fixture
def stack(broker: Broker, clickhouse: Endpoint) -> Iterator[Stack]:
    with stack_on(broker, clickhouse) as made:
        yield made


@pytest.mark.parametrize("point", POINTS)
async def test_the_same_command_finishes_what_was_killed(stack: Stack, tmp_path: Path, point: str) -> None:
    with Emitter(
        controller_id=stack.controller, source_system="claims", settings=stack.settings, vault=SqlVault.of(tmp_path)
    ) as emitter:
        emitter.access(subject=PERSON, filter="words")
    await stack.keep_up()
    reference = SqlVault.of(tmp_path).find(PERSON)
    assert reference is not None
    killed = _erase(stack, tmp_path, "tests.faults.fatal_erasure", point)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    said_before = len(_said(stack))
    await stack.keep_up()
    standing = SqlVault.of(tmp_path).erasures.of(reference)
    finished = point == "after-note"
    assert [erasure.finished for erasure in standing] in ([], [finished]), "never finished before it is said"
    assert said_before or not finished

    ended = _erase(stack, tmp_path, "inzage.console.main")
    if finished:
        assert ended.returncode == 1 and "UNKNOWN" in ended.stdout, "the link is gone, and so is the work"
    else:
        assert ended.returncode == 0, ended.stderr
        assert json.loads(ended.stdout)[0]["reference"] == reference
    vault = SqlVault.of(tmp_path)
    assert vault.find(PERSON) is None and vault.find_unfinished(PERSON) is None
    assert vault.kept_keys.find(reference) is None and vault.kept_keys.state(reference) is KeyState.ERASED
    assert [erasure.finished for erasure in vault.erasures.of(reference)] == [True]
    said = _said(stack)
    assert len(set(said)) == 1, "said again it is the same event, byte for byte"
    assert decode(said[0])[1]["source_sequence"] == 1 and decode(said[0])[1]["subject"]["pseudonym"] == reference


def _erase(stack: Stack, folder: Path, program: str, *point: str) -> subprocess.CompletedProcess[str]:
    inherited = {
        name: value
        for name, value in os.environ.items()
        if name not in (KEY_VARIABLE, KEY_FILE_VARIABLE, URL_VARIABLE)
    }
    environment = {
        **inherited,
        "INZAGE_DATA_DIR": str(folder),
        "INZAGE_CONTROLLERS": json.dumps([stack.controller]),
        "INZAGE_KAFKA__BOOTSTRAP_SERVERS": stack.settings.kafka.bootstrap_servers,
        "INZAGE_CLICKHOUSE__URL": stack.settings.clickhouse.url,
        "INZAGE_CLICKHOUSE__DATABASE": stack.database,
        "PYTHONPATH": os.pathsep.join((".editable", ".")),
    }
    who = ("--controller", stack.controller, "--ground", "GDPR 17(1)(a)", "--by", "staff:17")
    command = [sys.executable, "-m", program, *point, "subject", "erase", PERSON, *who, "--output", "json"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=240)


def _said(stack: Stack) -> list[bytes]:
    """The messages that say an erasure."""
    consumer = KafkaConsumer(bootstrap_servers=stack.settings.kafka.bootstrap_servers, group_id=None)
    places = [TopicPartition(stack.topics.events, number) for number in range(2)]
    consumer.assign(places)
    consumer.seek_to_beginning()
    found: list[Any] = []
    while any(consumer.position(place) < end for place, end in consumer.end_offsets(places).items()):
        for records in consumer.poll(timeout_ms=500).values():
            found += records
    consumer.close()
    return [record.value for record in found if decode(record.value)[1].get("event_type") == "DataErased"]
