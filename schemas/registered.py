"""Keeps what a schema registry has under its ids, looked up once each, as schemas that messages can be read with.

An id that the registry does not know is asked for again after a while: it may be registered late. A schema in another
language than Avro, or that no record of ours can be read with, is known all the same: it says why it is refused.
"""

from __future__ import annotations

import time
from collections.abc import Iterable

from inzage.schemas.codec import Schema
from inzage.schemas.registry import SchemaRegistry, open_registry
from inzage.schemas.settings import SchemaRegistrySettings
from inzage.schemas.statement import registered

ASK_AGAIN_AFTER = 30.0  # seconds
_MOST_ABSENT = 10_000


class RegisteredSchemas:
    """The schemas of one registry by id; for one thread at a time."""

    def __init__(self, registry: SchemaRegistry) -> None:
        self._registry = registry
        self._known: dict[int, Schema] = {}
        self._absent: dict[int, float] = {}

    def look_up(self, identifiers: Iterable[int]) -> list[Schema]:
        """The schemas that the registry has under `identifiers`; those it does not know are left out.

        Raises `TransientError` when it does not answer, `ConfigError` when it does not let us in.
        """
        return [schema for one in sorted(set(identifiers)) if (schema := self._one(one))]

    def _one(self, identifier: int) -> Schema | None:
        known = self._known.get(identifier)
        if known or time.monotonic() - self._absent.get(identifier, -ASK_AGAIN_AFTER) < ASK_AGAIN_AFTER:
            return known
        text = self._registry.text(identifier)
        try:
            found = registered(identifier, text) if text is not None else None
        except Exception:  # fastavro raises whatever the text leads it to
            found = None
        if found is None:
            if len(self._absent) >= _MOST_ABSENT:
                self._absent.clear()
            self._absent[identifier] = time.monotonic()
            return None
        self._known[identifier] = found
        return found


def configured_schemas(settings: SchemaRegistrySettings | None) -> RegisteredSchemas | None:
    """The schemas of the registry that is configured, None without one; raises `ConfigError`."""
    return RegisteredSchemas(open_registry(settings)) if settings else None
