"""Reads facts and events as JSON lines, the face that a lawyer or an upstream developer writes, and writes it.

Names are those of the Avro fields. Reading is driven by the schema itself, so a field added there can be read
here. Strict reading refuses unknown names and symbols, with the nearest known one; lenient reading takes a symbol
as OTHER and keeps the words in `unrecognised`, for a policy to judge. A time needs a zone; a missing one is no
matter of taste and is refused either way.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from difflib import get_close_matches
from functools import cache
from typing import Any, Literal, cast

from inzage.schemas.codec import current
from inzage.schemas.errors import ContractError
from inzage.schemas.json_reader import ReaderCompiler, Reading, ReadValue
from inzage.schemas.vocabulary import symbols

SaidKind = Literal["activity", "fact", "reference"]


@dataclass(frozen=True, slots=True)
class Said:
    """One line read: `record` fits the current schema of `kind`."""

    kind: SaidKind
    record: dict[str, Any]
    notes: tuple[str, ...] = ()


def read(line: Mapping[str, Any], *, strict: bool = True, controller_id: str | None = None) -> Said:
    """Read `{"event": {...}}`, `{"fact": {...}}` or either one bare; `controller_id` is the default.

    Raises `ContractError` naming the field.
    """
    reading = Reading(strict=strict, controller_id=controller_id)
    content = line.get("event", line.get("fact", line))
    if not isinstance(content, Mapping):
        raise ContractError("expected an object", code="contract.not-an-object")
    if "event" in line or "event_type" in content:
        record = _read_activity(content, reading)
        return Said("activity", record, tuple(reading.notes))
    if "type" in content:
        return _read_fact(content, reading)
    raise ContractError("neither an event (event_type) nor a fact (type)", code="contract.not-an-object")


def is_about_person(kind: Any) -> bool:
    """Whether facts of `kind` are about a data subject, as against organisations, the controller or the law."""
    return isinstance(kind, str) and kind in _bodies("fact")


def _read_activity(content: Mapping[str, Any], reading: Reading) -> dict[str, Any]:
    filled = dict(content)
    filled.setdefault("controller_id", reading.controller_id)
    filled.setdefault("recorded_at", filled.get("occurred_at"))
    filled["source_system"] = filled.get("source_system") or "unknown"
    filled["actor"] = filled.get("actor") or {}
    if "result" in filled:  # as interchange calls it; a verdict's result is something else
        filled.setdefault("register_result", filled.pop("result"))
    unlisted = _set_unlisted_items_apart(filled)
    record = cast("dict[str, Any]", _reader("activity")(filled, "", reading))
    record["other_data_items"] = record["other_data_items"] + unlisted
    record["unrecognised"] = {**record["unrecognised"], **reading.unrecognised}
    return record


def _set_unlisted_items_apart(content: dict[str, Any]) -> list[str]:
    """Tenants classify items of their own: those stand beside the items that the vocabulary knows."""
    items = content.get("data_items")
    if not isinstance(items, list):
        return []
    listed = _symbols("DataItem")
    content["data_items"] = [item for item in items if not isinstance(item, str) or item in listed]
    return [item for item in items if isinstance(item, str) and item not in listed]


@cache
def _symbols(enum: str) -> frozenset[str]:
    return frozenset(symbols(enum))


def _read_fact(content: Mapping[str, Any], reading: Reading) -> Said:
    kind = content["type"]
    kinds: tuple[SaidKind, SaidKind] = ("fact", "reference")
    for name in kinds:
        body = _bodies(name).get(kind)
        if body is not None:
            envelope, rest = _envelope(name, content, reading)
            if isinstance(named := rest.get("entitles_national_id_recipients"), list):
                rest |= {"entitles_national_id_recipients": bool(named), "national_id_recipients": named}
            record = cast("dict[str, Any]", _reader(name, without_body=True)(envelope, "", reading))
            record["body"] = (f"inzage.v1.{kind}", body(rest, "", reading))
            record["unrecognised"] = {**record["unrecognised"], **reading.unrecognised}
            return Said(name, record, tuple(reading.notes))
    near = get_close_matches(str(kind), [*_bodies("fact"), *_bodies("reference")], n=1, cutoff=0.7)
    hint = f"; did you mean {near[0]}?" if near else ""
    raise ContractError(f"type: no such kind of fact{hint}", code="contract.unknown-fact")


def _envelope(name: SaidKind, content: Mapping[str, Any], reading: Reading) -> tuple[dict[str, Any], dict[str, Any]]:
    names = {entry["name"] for entry in _source(name)["fields"]} - {"body"}
    rest = {key: value for key, value in content.items() if key not in names and key != "type"}
    envelope = {key: value for key, value in content.items() if key in names}
    envelope["controller_id"] = envelope.get("controller_id") or reading.controller_id
    envelope["source_system"] = envelope.get("source_system") or "unknown"
    return envelope, rest


@cache
def _source(name: SaidKind) -> dict[str, Any]:
    return cast("dict[str, Any]", json.loads(current(name).text))


@cache
def _bodies(name: SaidKind) -> dict[str, ReadValue]:
    compiler = ReaderCompiler()
    compiler.compile({**_source(name), "fields": _source(name)["fields"][:-1]})
    return {branch["name"]: compiler.compile(branch) for branch in _source(name)["fields"][-1]["type"]}


@cache
def _reader(name: SaidKind, *, without_body: bool = False) -> ReadValue:
    source = _source(name)
    fields = source["fields"][:-1] if without_body else source["fields"]
    return ReaderCompiler().compile({**source, "fields": fields})


def write(kind: str, record: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON face of a decoded record of `kind`, without what is absent; the inverse of `read`."""
    face = {name: _plain(value) for name, value in _present(record)}
    if kind == "activity":
        items = [*face.get("data_items", ()), *face.pop("other_data_items", ())]
        if items:
            face["data_items"] = items
        return {"event": face}
    if kind in ("fact", "reference"):
        name, content = record["body"]
        face.pop("body", None)
        return {
            "fact": {
                "type": name.rpartition(".")[2],
                **face,
                **_stated(cast("SaidKind", kind), name.rpartition(".")[2], content),
            }
        }
    return face


def _present(record: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in record.items():
        if value is not None and value != [] and value != {} and value != "":
            yield name, value


def _stated(kind: SaidKind, record: str, content: Mapping[str, Any]) -> dict[str, Any]:
    """A body of a fact: an empty list stays where null would say more, since a scope of nothing covers nothing."""
    stated = {}
    for name, value in content.items():
        nested = _nullable(kind).get((record, name))
        if isinstance(value, Mapping) and nested is not None:
            stated[name] = _stated(kind, nested, value)
        elif value is not None and (value != [] or nested is not None):
            stated[name] = _plain(value)
    return stated


@cache
def _nullable(kind: SaidKind) -> dict[tuple[str, str], str]:
    """Fields that may be a list, or a record, or null: (record, field) -> name of the record, empty for a list."""
    found: dict[tuple[str, str], str] = {}

    def visit(avro: Any) -> None:
        if isinstance(avro, list):
            for branch in avro:
                visit(branch)
        for entry in avro.get("fields", ()) if isinstance(avro, dict) else ():
            inner = entry["type"]
            if isinstance(inner, list) and isinstance(inner[-1], dict) and inner[-1]["type"] in ("array", "record"):
                found[avro["name"], entry["name"]] = inner[-1].get("name", "")
            visit(inner)

    visit(_source(kind))
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(inner) for name, inner in _present(value)}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    return value
