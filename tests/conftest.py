"""Keeps what the tests of every room share: a real broker and a real ClickHouse endpoint, one per session."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import settings

from inzage.deploy.local.clickhouse.access import Access
from inzage.deploy.local.clickhouse.endpoint import Endpoint
from inzage.deploy.local.kafka import Broker

# Hypothesis fails an example that takes longer than 200 ms. Two busy cores may take that for any of them, and none is
# there to measure time.
settings.register_profile("inzage", parent=settings(), deadline=None)
settings.load_profile("inzage")


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """Apache Kafka on a free port with no topics; a warning says so where only Tansu could be had."""
    with Broker(tmp_path_factory.mktemp("broker"), heap_megabytes=256) as running:
        if running.kind != "apache-kafka":
            warnings.warn("these tests ran on Tansu, which proves little about Kafka", stacklevel=1)
        yield running


@pytest.fixture(scope="session")
def clickhouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    """A ClickHouse endpoint with no tables, whose clients may do everything: use a database of your own."""
    data_dir = tmp_path_factory.mktemp("clickhouse")
    with Endpoint(data_dir, access=Access.EVERYTHING, migrate=False, fsync=False) as running:
        yield running


@pytest.fixture
def clickhouse_factory() -> Iterator[Callable[..., Endpoint]]:
    """Starts an endpoint on a given directory, with the options of `Endpoint`; ended with the test."""
    with ExitStack() as running:

        def start(data_dir: Path, access: Access = Access.EVERYTHING, migrate: bool = False) -> Endpoint:
            return running.enter_context(Endpoint(data_dir, access=access, migrate=migrate))

        yield start
