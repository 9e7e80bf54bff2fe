"""Keeps the sealed trail that the hostile tests copy: built once, on a broker that nobody else seals on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from inzage.deploy.local.clickhouse.endpoint import Endpoint
from inzage.deploy.local.kafka import Broker
from tests.hostile.sealed_trail import CHECKPOINT_EVERY, Case, SealedTrail, build
from tests.trail_stack import stack_on


@pytest.fixture(scope="session")
def sealed(tmp_path_factory: pytest.TempPathFactory, clickhouse: Endpoint) -> Iterator[SealedTrail]:
    """The trail nobody tampered with."""
    folder = tmp_path_factory.mktemp("sealed")
    with (
        Broker(folder / "broker", heap_megabytes=256) as broker,
        stack_on(broker, clickhouse, every_records=CHECKPOINT_EVERY) as stack,
    ):
        yield build(stack, folder)


@pytest.fixture
def case(sealed: SealedTrail, tmp_path: Path) -> Iterator[Case]:
    """A copy to tamper with."""
    with sealed.copy(tmp_path) as copied:
        yield copied
