"""Decides which table a record belongs in and what its typed columns must say, from its bytes alone.

`docs/design/trail.md` says what each table holds. A record that can be read and that its topic may say stands in
the table of what it is; all others stand in `other_records`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any, cast, get_args

from inzage.schemas.codec import RecordName, Schema, current, decode, split
from inzage.schemas.errors import ContractError
from inzage.schemas.json_face import write
from inzage.schemas.statement import stated, take_statement
from inzage.sinks.verification.row_binary import (
    Column,
    bool_column,
    columns_of,
    micros_column,
    number_column,
    text_column,
)

OTHER_RECORDS = "other_records"
SCHEMAS_TABLE = "schemas"

HOMES: Mapping[str, Mapping[str, str]] = {
    "events": {"activity": "events", "fact": "facts", "heartbeat": "heartbeats"},
    "references": {"reference": "references"},
    "verdicts": {"verdict": "verdicts", "judged": "judged"},
    "dead-letters": {"dead_letter": "dead_letters"},
    "completeness": {"incompleteness": "incompleteness"},
    "checkpoints": {"checkpoint": "checkpoints", "attestation": "attestations", "pruning": "prunings"},
}
"""What a topic's kind may say, and where that stands."""

_SPLICED = {
    "events": "activity",
    "verdicts": "verdict",
    "judged": "judged",
    "dead_letters": "dead_letter",
    "heartbeats": "heartbeat",
    "incompleteness": "incompleteness",
    "checkpoints": "checkpoint",
    "attestations": "attestation",
    "prunings": "pruning",
}
"""Tables whose columns are the fields of a record."""


@dataclass(frozen=True)
class Expected:
    """What a table's rows say. `spliced`: the record whose fields the columns are, None for columns made of one."""

    table: str
    spliced: RecordName | None
    columns: Mapping[str, Column]
    row: Callable[[bytes | None, Mapping[bytes, Schema]], Mapping[str, Any]]
    """The values of the columns of one record; raises `ContractError` when it cannot be read."""

    @cached_property
    def json_columns(self) -> frozenset[str]:
        """Columns that are JSON: equal when they mean the same."""
        return frozenset({"body"} & set(self.columns))


@cache
def expected(table: str) -> Expected | None:
    """What is expected of `table`; None for a table that is not known here."""
    if table in _SPLICED:
        name = cast("RecordName", _SPLICED[table])
        return Expected(table, name, columns_of(current(name).text), lambda raw, also: decode(raw, also=also)[1])
    text, said = text_column(), {"controller_id": text_column(), "source_system": text_column()}
    if table in ("facts", "references"):
        columns = {"kind": text, "fact_id": text, "subject": text, **said}
        columns |= {"source_instance": text, "source_sequence": number_column()}
        columns |= {"recorded_at": micros_column(), "body": text}
        if table == "references":
            del columns["subject"]
        return Expected(table, None, columns, _fact)
    if table == SCHEMAS_TABLE:
        columns = {**dict.fromkeys(("name", "fingerprint", "sha256", "text"), text), "registry_id": number_column()}
        return Expected(table, None, columns, _schema)
    if table == OTHER_RECORDS:
        return Expected(table, None, {"record": text, "has_value": bool_column()}, _other)
    return None


def home(topic: str, value: bytes | None, also: Mapping[bytes, Schema]) -> str | None:
    """The table for a record of `topic` as far as its first bytes say; None for a topic that is not known here."""
    kind = kind_of(topic)
    if kind == "schemas":
        return SCHEMAS_TABLE
    if kind not in HOMES:
        return None
    try:
        return HOMES[kind].get(split(value, also=also).name, OTHER_RECORDS)
    except ContractError:
        return OTHER_RECORDS


@cache
def kind_of(topic: str) -> str:
    """What a topic is for, by its name: `inzage.<controller>.<kind>.v1` or `inzage.<kind>.v1`."""
    parts = topic.split(".")
    return parts[-2] if len(parts) >= 3 and parts[0] == "inzage" else ""


def sealed_schemas(texts: Sequence[bytes]) -> dict[bytes, Schema]:
    """The schemas that records of the schemas topic state, by header, from the texts in order."""
    found: dict[bytes, Schema] = {}
    for text in texts:
        try:
            take_statement(found, stated(text)[0])
        except ContractError:
            continue
    return found


def _schema(value: bytes | None, _: Mapping[bytes, Schema]) -> Mapping[str, Any]:
    return stated(value)[1]


def _fact(value: bytes | None, also: Mapping[bytes, Schema]) -> Mapping[str, Any]:
    schema, record = decode(value, also=also)
    kind = record["body"][0].rpartition(".")[2]
    body = json.dumps(write(schema.name, record)["fact"], ensure_ascii=False)
    return {**record, "kind": kind, "body": body}


def _other(value: bytes | None, also: Mapping[bytes, Schema]) -> Mapping[str, Any]:
    try:
        name = decode(value, also=also)[0].name
    except ContractError:
        name = ""
    return {"record": name, "has_value": value is not None}


def readable(topic: str, value: bytes | None, also: Mapping[bytes, Schema]) -> bool:
    """Whether a record can be read and belongs in a table of its own."""
    try:
        if kind_of(topic) == "schemas":
            stated(value)
            return True
        name = decode(value, also=also)[0].name
    except ContractError:
        return False
    return name in HOMES.get(kind_of(topic), {}) and name in get_args(RecordName)
