"""Decides which table each record of a log goes to, and makes the blocks that are inserted.

A record stands in one table: that of what it says, where its topic may say it, else `other_records` with the
reason. A block is of one log, one table, one schema and one month, in the order of offsets: the same records give
the same block, bytes and token alike, and ClickHouse takes it whole or not at all.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from hashlib import sha256
from io import BytesIO
from typing import Any, NamedTuple, cast

from aiokafka import ConsumerRecord
from fastavro import schemaless_writer

from inzage.schemas.codec import RecordName, Schema, current, decode, known, schema_of, split
from inzage.schemas.errors import ContractError
from inzage.schemas.framing import header_of, headers_of, names_schema, schema_name
from inzage.schemas.json_face import write
from inzage.schemas.resolution import Reading
from inzage.schemas.statement import stated
from inzage.sinks.leaf import headers_bytes, leaf_bytes, leaf_hash
from inzage.sinks.logs import Log, Said
from inzage.sinks.row import MARK_BYTES, Leaf, rows

OTHER_RECORDS = "other_records"


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the trail. `row` None: its columns are the fields of the record, which is spliced as it stands."""

    name: str
    row: Schema | None = None
    prefixed: bool = False


def _row(record: str, /, **fields: Any) -> Schema:
    listed = [{"name": field, "type": avro} for field, avro in fields.items()]
    return schema_of(record, json.dumps({"type": "record", "name": record, "fields": listed}))


_MICROS = {"type": "long", "logicalType": "timestamp-micros"}
_SAID = {
    "controller_id": "string",
    "source_system": "string",
    "source_instance": "string",
    "source_sequence": ["null", "long"],
    "recorded_at": _MICROS,
    "body": "string",
}

TABLES: Mapping[tuple[Said, str], Table] = {
    (Said.EVENTS, "activity"): Table("events"),
    (Said.EVENTS, "fact"): Table(
        "facts", _row("FactRow", kind="string", fact_id="string", subject="string", **_SAID)
    ),
    (Said.EVENTS, "heartbeat"): Table("heartbeats"),
    (Said.REFERENCES, "reference"): Table(
        "references", _row("ReferenceRow", kind="string", fact_id="string", **_SAID)
    ),
    (Said.VERDICTS, "verdict"): Table("verdicts", prefixed=True),
    (Said.VERDICTS, "judged"): Table("judged", prefixed=True),
    (Said.DEAD_LETTERS, "dead_letter"): Table("dead_letters", prefixed=True),
    (Said.INCOMPLETENESS, "incompleteness"): Table("incompleteness", prefixed=True),
    (Said.CHECKPOINTS, "checkpoint"): Table("checkpoints", prefixed=True),
    (Said.CHECKPOINTS, "attestation"): Table("attestations", prefixed=True),
    (Said.CHECKPOINTS, "pruning"): Table("prunings", prefixed=True),
}
SCHEMAS_TABLE = Table(
    "schemas",
    _row(
        "SchemaRow",
        name="string",
        fingerprint="string",
        sha256="string",
        text="string",
        registry_id=["null", "long"],
    ),
)
OTHER_TABLE = Table(OTHER_RECORDS, _row("OtherRow", record="string", reason="string", has_value="boolean"))


class Unreadable(NamedTuple):
    """A record that cannot be read, and why."""

    leaf: Leaf
    why: ContractError


@dataclass(frozen=True)
class Block:
    """What one insert brings: rows of one table. `schema` is that of `data`, `fingerprint` that of the records."""

    log: Log
    base: int
    table: Table
    schema: Schema
    fingerprint: str
    leaves: Sequence[Leaf]
    data: Sequence[bytes]

    @cached_property
    def root(self) -> bytes:
        """SHA-256 over the leaf hashes in order."""
        return sha256(b"".join(leaf.hash for leaf in self.leaves)).digest()

    @property
    def token(self) -> str:
        """Names the content: ClickHouse drops a repetition of it, and of nothing else."""
        return f"{self.log.id}:{self.leaves[0].offset}-{self.leaves[-1].offset}:{self.root.hex()}"

    @cached_property
    def body(self) -> bytes:
        """The rows as an Avro object container; made once, since an insert may be repeated."""
        return rows(
            self.schema,
            self.fingerprint,
            self.log,
            self.leaves,
            self.data,
            base=self.base,
            mark=self.mark,
            prefixed=self.table.prefixed,
        )

    @property
    def mark(self) -> bytes:
        """Stands on either side of each datum of the block."""
        return self.root[:MARK_BYTES]

    def part(self, chosen: Sequence[int]) -> Block:
        """The block of the rows at the places `chosen`."""
        leaves, data = [self.leaves[place] for place in chosen], [self.data[place] for place in chosen]
        return Block(self.log, self.base, self.table, self.schema, self.fingerprint, leaves, data)


def leaves_of(records: Sequence[ConsumerRecord]) -> list[Leaf]:
    """The records as leaves of their log."""
    return [_leaf(record) for record in records]


def _leaf(record: ConsumerRecord) -> Leaf:
    headers = headers_bytes(record.headers)
    offset, time, kind = record.offset, record.timestamp, record.timestamp_type
    key, value = record.key, record.value
    return Leaf(
        offset, time, kind, key, value, headers, leaf_hash(leaf_bytes(offset, kind, time, key, value, headers))
    )


def unknown_schemas(leaves: Sequence[Leaf], also: Mapping[bytes, Schema]) -> set[bytes]:
    """The headers of messages that name a schema which is neither known nor in `also`."""
    headers = headers_of(leaf.value for leaf in leaves)
    return {header for header in headers if header not in known() and header not in also and names_schema(header)}


def blocks_of(
    log: Log, base: int, leaves: Sequence[Leaf], also: Mapping[bytes, Schema]
) -> tuple[list[Block], list[Unreadable]]:
    """The blocks for `leaves`, and those that stand in no block since they cannot be read.

    Spliced records are not decoded here: ClickHouse says which block it cannot decode.
    """
    blocks: list[Block] = []
    unreadable: list[Unreadable] = []
    for alike in _by_schema_and_month(leaves).values():
        table, schema = OTHER_TABLE, None
        try:
            if log.topic.said is Said.SCHEMAS:
                table = SCHEMAS_TABLE
            else:
                schema = split(alike[0].value, also=also)
                table = TABLES.get((log.topic.said, schema.name), OTHER_TABLE)
        except ContractError as why:
            unreadable += [Unreadable(leaf, why) for leaf in alike]
            continue
        if schema and table.row is None and schema.reading is not Reading.RESOLVED:
            size = len(schema.header)
            data = [(leaf.value or b"")[size:] for leaf in alike]
            blocks.append(Block(log, base, table, schema, schema_name(schema.header), alike, data))
        else:
            made, refused = _decoded(log, base, table, schema, alike, also)
            blocks += [made] if made else []
            unreadable += refused
    return blocks, unreadable


def unreadable_block(log: Log, base: int, unreadable: Sequence[Unreadable]) -> list[Block]:
    """The blocks of `other_records` that keep what cannot be read."""
    why = {leaf.offset: error.code for leaf, error in unreadable}
    assert OTHER_TABLE.row
    blocks = []
    for alike in _by_schema_and_month(sorted(leaf for leaf, _ in unreadable)).values():
        data = [_datum(OTHER_TABLE.row, _other("", leaf, why[leaf.offset])) for leaf in alike]
        blocks.append(Block(log, base, OTHER_TABLE, OTHER_TABLE.row, schema_name(alike[0].value), alike, data))
    return blocks


def _by_schema_and_month(leaves: Sequence[Leaf]) -> dict[tuple[bytes | None, str], list[Leaf]]:
    """A block is one partition of its table, and those are months. Of no leaves, as of a slice that is held: none."""
    if not leaves:
        return {}
    one_month = len({_month(time) for time in _extremes(leaves)}) == 1
    if one_month and len(headers_of(leaf.value or _ABSENT[leaf.value] for leaf in leaves)) == 1:
        return {(b"", ""): list(leaves)}
    groups: dict[tuple[bytes | None, str], list[Leaf]] = {}
    for leaf in leaves:
        header = leaf.value and header_of(leaf.value)
        key = (header, "" if one_month else _month(leaf.timestamp))
        group = groups.get(key)
        if group is None:
            groups[key] = [leaf]
        else:
            group.append(leaf)
    return groups


_ABSENT = {None: b"\xff", b"": b"\xff\xff"}
"""Stand for no value and an empty one, which are refused for different reasons."""


def _extremes(leaves: Sequence[Leaf]) -> tuple[int, int]:
    times = [leaf.timestamp for leaf in leaves]
    return min(times), max(times)


def _month(timestamp: int) -> str:
    return datetime.fromtimestamp(timestamp / 1000, UTC).strftime("%Y%m")


def _decoded(
    log: Log, base: int, table: Table, schema: Schema | None, leaves: Sequence[Leaf], also: Mapping[bytes, Schema]
) -> tuple[Block | None, list[Unreadable]]:
    """A block of records that are decoded one by one.

    They are few where columns are not the record's fields; or their schema takes Avro's rules to become ours.
    """
    row = table.row or current(cast("RecordName", schema.name if schema else ""))
    readable, data, unreadable = [], [], []
    for leaf in leaves:
        try:
            data.append(_datum(row, _columns(table, schema, leaf, also)))
            readable.append(leaf)
        except ContractError as why:
            unreadable.append(Unreadable(leaf, why))
    if not readable:
        return None, unreadable
    return Block(log, base, table, row, schema_name(leaves[0].value), readable, data), unreadable


def _columns(table: Table, schema: Schema | None, leaf: Leaf, also: Mapping[bytes, Schema]) -> Mapping[str, Any]:
    if table is SCHEMAS_TABLE:
        return stated(leaf.value)[1]
    assert schema
    record = decode(leaf.value, also=also)[1]
    if table is OTHER_TABLE:
        return _other(schema.name, leaf, "")
    if table.row is None:
        return record
    face = write(schema.name, record)["fact"]
    kind = record["body"][0].rpartition(".")[2]
    return {**record, "kind": kind, "body": json.dumps(face, ensure_ascii=False)}


def _other(record: str, leaf: Leaf, reason: str) -> dict[str, Any]:
    return {"record": record, "reason": reason, "has_value": leaf.value is not None}


def _datum(schema: Schema, record: Mapping[str, Any]) -> bytes:
    buffer = BytesIO()
    schemaless_writer(buffer, schema.parsed, record)
    return buffer.getvalue()
