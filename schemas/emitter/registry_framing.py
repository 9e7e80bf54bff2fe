"""Puts a schema registry's header before what an emitter says, in the place of the fingerprint.

Subjects follow the strategy of record names: a topic holds several records, and all controllers share one contract.
"""

from __future__ import annotations

import threading

from inzage.schemas.codec import RecordName, Schema, current
from inzage.schemas.errors import ConfigError
from inzage.schemas.framing import SINGLE_OBJECT_BYTES
from inzage.schemas.registry import open_registry
from inzage.schemas.resolution import Reading
from inzage.schemas.settings import SchemaRegistrySettings
from inzage.schemas.statement import full_name, registered

FRAMED: frozenset[RecordName] = frozenset({"activity", "fact", "reference", "heartbeat"})
"""What consumers outside read. Dead letters are written by every process, and stay single-object encoded."""


class RegistryFraming:
    """The framing of one registry, which is asked once for each kind of record. May be shared between threads."""

    def __init__(self, settings: SchemaRegistrySettings) -> None:
        self._registry = open_registry(settings)
        self._register = settings.auto_register_schemas
        self._schemas: dict[RecordName, Schema] = {}
        self._turn = threading.Lock()

    def framed(self, kind: RecordName, message: bytes) -> bytes:
        """A single-object encoded message of ours with the registry's header; raises what `schema` raises."""
        return self.schema(kind).header + message[SINGLE_OBJECT_BYTES:]

    def schema(self, kind: RecordName) -> Schema:
        """Our schema of `kind`, as the registry has it.

        Raises `TransientError` when the registry does not answer, `ConfigError` when it does not have the schema, or
        does not take it.
        """
        found = self._schemas.get(kind)
        if found is None:
            with self._turn:
                found = self._schemas.get(kind) or self._ask(kind)
                self._schemas[kind] = found
        return found

    def _ask(self, kind: RecordName) -> Schema:
        subject, ours = full_name(kind), current(kind).text
        ask = self._registry.register if self._register else self._registry.find
        identifier = ask(subject, ours)
        text = self._registry.text(identifier)
        found = registered(identifier, text) if text is not None else None
        if found is None or found.name != kind or found.reading is not Reading.ALIKE:
            raise ConfigError(
                f"schema_registry: {subject}: its schema {identifier} is not the one that was asked for",
                code="config.schema-registry",
            )
        return found


def configured_framing(settings: SchemaRegistrySettings | None) -> RegistryFraming | None:
    """The framing of the registry that is configured, None without one; raises `ConfigError`."""
    return RegistryFraming(settings) if settings else None
