"""Reads records of the trail back from the bytes that were produced, with the schemas that the trail itself keeps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from inzage.schemas.codec import Schema, decode
from inzage.schemas.errors import ContractError
from inzage.schemas.json_face import Said
from inzage.schemas.statement import stated, take_statement
from inzage.sinks.trail import Trail


@dataclass(frozen=True, slots=True)
class Kept:
    """One record as the trail keeps it; `kept_at` is the broker's time, UTC."""

    said: Said
    topic: str
    partition: int
    offset: int
    kept_at: datetime


def kept_of(trail: Trail, rows: Iterable[Mapping[str, Any]]) -> list[Kept]:
    """The records of `rows`: kind, topic, partition, offset, broker_time and raw_hex; raises `ContractError`."""
    also: dict[bytes, Schema] | None = None
    found = []
    for row in rows:
        raw = bytes.fromhex(row["raw_hex"])
        try:
            record = decode(raw, also=also)[1]
        except ContractError:
            if also is not None:
                raise
            also = schemas_of(trail)
            record = decode(raw, also=also)[1]
        found.append(
            Kept(Said(row["kind"], record), row["topic"], row["partition"], row["offset"], utc(row["broker_time"]))
        )
    return found


def utc(instant: datetime) -> datetime:
    """The client gives instants in UTC without saying so."""
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def schemas_of(trail: Trail) -> dict[bytes, Schema]:
    """The schemas that the trail states, by header: what was written with them is read without any registry."""
    schemas: dict[bytes, Schema] = {}
    for (raw,) in trail.select("schema_texts"):
        take_statement(schemas, stated(bytes.fromhex(raw))[0])
    return schemas
