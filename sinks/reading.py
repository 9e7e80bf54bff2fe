"""Decides how the trail is read by people: one client, one database, never a write."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from inzage.schemas.settings import Settings
from inzage.sinks.connection import open_clickhouse
from inzage.sinks.trail import Trail

ANSWER_WITHIN = 60.0  # seconds


@contextmanager
def open_trail(settings: Settings) -> Iterator[Trail]:
    """The trail of the settings, for `select` and `select_named`; raises `TransientError` when it is away."""
    client = open_clickhouse(settings.clickhouse, answer_within=ANSWER_WITHIN)
    try:
        yield Trail(client, settings.clickhouse.database)
    finally:
        client.close()
