"""Keeps what the tests of every room share: a real broker and a real ClickHouse endpoint, one per session."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import pytest

from inzage.deploy.local.kafka import Broker


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """Apache Kafka on a free port with no topics; a warning says so where only Tansu could be had."""
    with Broker(tmp_path_factory.mktemp("broker"), heap_megabytes=256) as running:
        if running.kind != "apache-kafka":
            warnings.warn("these tests ran on Tansu, which proves little about Kafka", stacklevel=1)
        yield running
