"""What a message begins with, what a registry's id stands for, and how another's schema is read with ours."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from fastavro import parse_schema, schemaless_writer

from inzage.schemas.codec import (
    Schema,
    as_written_here,
    current,
    datum_for_columns,
    decode,
    encode,
    schema_of,
    split,
)
from inzage.schemas.errors import ContractError
from inzage.schemas.framing import header_of, headers_of, registry_header, registry_id, schema_name
from inzage.schemas.resolution import Reading
from inzage.schemas.statement import registered, stated, statement, statement_key, take_statement
from tests.trail_stack import activity

Change = Callable[[dict[str, Any]], None]
RECORD = activity(1, "CIGNA")
OURS = encode("activity", RECORD)


def changed(change: Change = lambda source: None, identifier: int = 7) -> Schema:
    source = json.loads(current("activity").text)
    change(source)
    return registered(identifier, json.dumps(source))


def field(source: dict[str, Any], name: str) -> dict[str, Any]:
    return next(one for one in source["fields"] if one["name"] == name)


def drop(name: str) -> Change:
    return lambda source: source["fields"].remove(field(source, name))


def retype(name: str, kind: Any) -> Change:
    return lambda source: field(source, name).update(type=kind)


def add_symbol(source: dict[str, Any]) -> None:
    field(source, "event_type")["type"]["symbols"].append("TeaServed")


def drop_symbol(source: dict[str, Any]) -> None:
    field(source, "event_type")["type"]["symbols"].pop()


def reorder(source: dict[str, Any]) -> None:
    source["fields"].append(source["fields"].pop(0))


def drop_nested(source: dict[str, Any]) -> None:
    field(source, "subject")["type"]["fields"].pop()


def rename(source: dict[str, Any]) -> None:
    source["name"] = "Aktivity"


def add(name: str, kind: Any = "string") -> Change:
    return lambda source: source["fields"].append({"name": name, "type": kind})


def comment(source: dict[str, Any]) -> None:
    source["doc"] = "other words"


def written(schema: Schema, **more: Any) -> bytes:
    buffer = BytesIO()
    buffer.write(schema.header)
    schemaless_writer(buffer, parse_schema(json.loads(schema.text)), {**RECORD, **more})
    return buffer.getvalue()


def test_a_header_says_how_long_it_is() -> None:
    framed = registry_header(258) + OURS[10:]
    assert framed[:5] == b"\x00\x00\x00\x01\x02"
    assert [header_of(OURS), header_of(framed), header_of(None), header_of(b"")] == [OURS[:10], framed[:5], b"", b""]
    assert (registry_id(header_of(framed)), registry_id(header_of(OURS)), registry_id(b"\x00\x01")) == (
        258,
        None,
        None,
    )
    assert headers_of([OURS, framed, registry_header(258) + b"other", None, b""]) == {OURS[:10], framed[:5]}
    names = [schema_name(value) for value in (OURS, framed, b"{}", b"\x00\x00", None)]
    assert names == [current("activity").fingerprint, "registry:258", "", "", ""]


@pytest.mark.parametrize(
    ("change", "reading"),
    [
        (comment, Reading.ALIKE),
        (drop("register_ref"), Reading.BY_NAME),
        (add("shift"), Reading.BY_NAME),
        (drop_symbol, Reading.BY_NAME),
        (drop("schema_version"), Reading.RESOLVED),  # its default is not empty
        (add_symbol, Reading.RESOLVED),
        (reorder, Reading.RESOLVED),  # redeliveries are told by the first field
        (drop_nested, Reading.RESOLVED),
        (retype("recorded_at", {"type": "long", "logicalType": "timestamp-millis"}), Reading.RESOLVED),
        (retype("source_sequence", ["null", "int"]), Reading.RESOLVED),
    ],
)
def test_another_schema_is_read_as_avro_resolves_it(change: Change, reading: Reading) -> None:
    """Whatever way it takes: the record is the same, and so is the datum that an engine gets by name."""
    schema = changed(change)
    assert (schema.name, schema.reading, schema.refused) == ("activity", reading, "")
    message = written(schema, shift="night")
    known = {schema.header: schema}
    expected = {**decode(OURS)[1], "schema_version": "1.0"}
    assert decode(message, also=known)[1] == expected
    by, datum = datum_for_columns(message, schema)
    assert by is (schema if reading is Reading.BY_NAME else current("activity"))
    assert reading is Reading.BY_NAME or datum == OURS[10:]
    assert decode(as_written_here(message, schema, decode(message, also=known)[1]))[1] == expected


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (drop("event_id"), "event_id is missing"),
        (retype("occurred_at", "long"), "occurred_at is long, not timestamp-micros"),
        (retype("source_system", "long"), "source_system is long, not string"),
        (retype("event_id", ["null", "string"]), "event_id may be null"),
    ],
)
def test_a_schema_that_cannot_be_read_says_which_field(change: Change, why: str) -> None:
    schema = changed(change)
    assert schema.refused == why
    with pytest.raises(ContractError, match=why) as refused:
        split(schema.header + b"anything", also={schema.header: schema})
    assert refused.value.code == "contract.incompatible-schema"


def test_another_record_is_not_ours_whatever_its_fields() -> None:
    schema = changed(rename)
    assert (schema.name, schema.refused) == ("inzage.v1.Aktivity", "")


@pytest.mark.parametrize("schema", [changed(drop("register_ref"), identifier=0), changed(), current("fact")])
def test_what_is_stated_is_read_back(schema: Schema) -> None:
    found, said = stated(statement(schema))
    assert (found.header, found.name, found.text) == (schema.header, schema.name, schema.text)
    assert said["registry_id"] == schema.registry_id
    assert statement_key(schema).decode() == schema_name(schema.header)


@pytest.mark.parametrize("wrong", [-1, 1 << 32, "7", True, 1.0])
def test_an_id_is_a_number_of_four_bytes(wrong: Any) -> None:
    said = {**json.loads(statement(changed())), "registry_id": wrong}
    with pytest.raises(ContractError):
        stated(json.dumps(said).encode())


@pytest.mark.parametrize("part", ["name", "fingerprint", "sha256"])
def test_a_statement_that_contradicts_its_text_is_refused(part: str) -> None:
    said = {**json.loads(statement(changed())), part: "fact"}
    with pytest.raises(ContractError) as refused:
        stated(json.dumps(said).encode())
    assert refused.value.code == "contract.schema-mismatch"


def test_the_first_statement_of_an_id_holds() -> None:
    known: dict[bytes, Schema] = {}
    first, later = changed(), changed(drop("register_ref"))
    take_statement(known, first)
    take_statement(known, later)
    assert known == {first.header: first}


def test_an_id_that_nobody_knows_is_refused_by_its_number() -> None:
    with pytest.raises(ContractError, match="the schema 9 of a registry") as refused:
        decode(registry_header(9) + OURS[10:])
    assert refused.value.code == "contract.unknown-registry-id"
    with pytest.raises(ContractError) as refused:
        decode(schema_of("x", '{"type": "record", "name": "x", "fields": []}').header)
    assert refused.value.code == "contract.unknown-schema"
