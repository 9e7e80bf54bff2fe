"""When the supervisor starts a service again, and which order of services it accepts."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from inzage.deploy.local.supervisor import RestartPolicy, Service, Supervisor
from inzage.schemas.errors import ConfigError


def test_pause_doubles_to_its_limit() -> None:
    policy = RestartPolicy(first_pause=timedelta(seconds=1), longest_pause=timedelta(seconds=5))
    assert [policy.pause(deaths, 1).total_seconds() for deaths in (1, 2, 3, 4)] == [1, 2, 4, 5]


def test_exit_code_70_asks_for_a_start_at_once() -> None:
    assert RestartPolicy().pause(4, 70) == timedelta(0)


@pytest.mark.parametrize(
    "services",
    [
        [Service("worker", ["true"], depends_on=["kafka"]), Service("kafka", ["true"])],
        [Service("kafka", ["true"]), Service("kafka", ["true"])],
    ],
)
def test_wrong_order_is_refused(services: list[Service], tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        Supervisor(services, tmp_path)
