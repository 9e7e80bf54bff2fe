"""Makes a reading function for each type of an Avro schema: from JSON values to what fastavro writes.

Every function names the field it refuses. A symbol or a name that the schema does not have is an error in strict
reading; else it is noted, and a symbol becomes OTHER with its words kept. Lenient reading also takes a value in
another shape where that says the same: one for a list of one, a number for its digits, words where the schema asks
whether there are any.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from difflib import get_close_matches
from typing import Any

from inzage.schemas.errors import ContractError
from inzage.schemas.vocabulary import OTHER, closest


@dataclass(slots=True)
class Reading:
    """How to read one line, and what was noticed while reading it."""

    strict: bool = True
    controller_id: str | None = None
    unrecognised: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def unknown_name(self, path: str, name: str, names: list[str]) -> None:
        near = get_close_matches(name, names, n=1, cutoff=0.7)
        message = f"{_join(path, name)}: no such field" + (f"; did you mean {near[0]}?" if near else "")
        if self.strict:
            raise ContractError(message, code="contract.unknown-field")
        self.notes.append(f"{message}; left out")

    def unknown_symbol(self, path: str, enum: str, text: str) -> None:
        near = closest(enum, text)
        message = f"{path}: not a term of {enum}" + (f"; did you mean {near}?" if near else "")
        if self.strict:
            raise ContractError(message, code="contract.unknown-symbol")
        self.notes.append(f"{message}; taken as OTHER")

    def other_shape(self, path: str, wanted: str) -> None:
        """Note a value of another shape, or refuse it."""
        if self.strict:
            raise _wrong(path, wanted)
        self.notes.append(f"{path}: expected {wanted}; taken as if it were")


ReadValue = Callable[[Any, str, Reading], Any]


class ReaderCompiler:
    """Makes one reading function for each type of a schema, once."""

    def __init__(self) -> None:
        self._named: dict[str, ReadValue] = {}

    def compile(self, avro: Any) -> ReadValue:
        if isinstance(avro, list):
            return _optional(self.compile(avro[1]))
        if isinstance(avro, str):
            return self._named.get(avro) or _PRIMITIVE[avro]
        if logical := avro.get("logicalType"):
            return _LOGICAL[logical]
        kind = avro["type"]
        if kind == "array":
            return _array(self.compile(avro["items"]))
        if kind == "map":
            return _string_map
        if kind == "enum":
            return self._name(avro, _enum(avro["name"], frozenset(avro["symbols"])))
        if kind == "record":
            fields = {
                entry["name"]: (self.compile(entry["type"]), "default" in entry, entry.get("default"))
                for entry in avro["fields"]
            }
            return self._name(avro, _record(fields))
        return _PRIMITIVE[kind]

    def _name(self, avro: dict[str, Any], made: ReadValue) -> ReadValue:
        self._named[f"{avro['namespace']}.{avro['name']}"] = made
        return made


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _wrong(path: str, wanted: str) -> ContractError:
    return ContractError(f"{path}: expected {wanted}", code="contract.wrong-type")


def _text(value: Any, path: str, reading: Reading) -> str:
    if type(value) is str:
        return value
    reading.other_shape(path, "text")
    if isinstance(value, Mapping):  # somebody, said with more than the identifier
        value = value.get("id") or value.get("org_id") or json.dumps(value, ensure_ascii=False)
    if isinstance(value, (list, tuple)):
        return ",".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def _whole(value: Any, path: str, reading: Reading) -> int:
    if type(value) is int:
        return value
    if isinstance(value, str) and value.strip().isdigit():
        reading.other_shape(path, "a whole number")
        return int(value)
    raise _wrong(path, "a whole number")


def _truth(value: Any, path: str, reading: Reading) -> bool:
    if type(value) is bool:
        return value
    reading.other_shape(path, "true or false")
    return value.strip().lower() not in ("", "false", "no", "0") if isinstance(value, str) else bool(value)


def _double(value: Any, path: str, reading: Reading) -> float:
    if type(value) not in (int, float):
        raise _wrong(path, "a number")
    return float(value)


def _timestamp(value: Any, path: str, reading: Reading) -> datetime:
    try:
        instant = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise _wrong(path, "a time such as 2026-03-10T12:00:00+01:00") from error
    if instant.tzinfo is None:
        raise ContractError(f"{path}: a time needs a zone", code="contract.time-without-zone")
    return instant.astimezone(UTC)


def _date(value: Any, path: str, reading: Reading) -> date:
    try:
        return value if type(value) is date else date.fromisoformat(value[:10])
    except (TypeError, ValueError) as error:
        raise _wrong(path, "a date such as 2026-03-10") from error


def _string_map(value: Any, path: str, reading: Reading) -> dict[str, str]:
    if value is None:
        return {}
    if not isinstance(value, Mapping) or not all(isinstance(text, str) for text in value.values()):
        raise _wrong(path, "an object of strings")
    return dict(value)


def _optional(inner: ReadValue) -> ReadValue:
    def read_nullable(value: Any, path: str, reading: Reading) -> Any:
        return None if value is None else inner(value, path, reading)

    return read_nullable


def _array(inner: ReadValue) -> ReadValue:
    def read_array(value: Any, path: str, reading: Reading) -> list[Any]:
        if value is None:
            return []
        if not isinstance(value, (list, tuple)):
            reading.other_shape(path, "a list")
            value = [] if value in (False, 0) else [value]
        return [inner(item, path, reading) for item in value]

    return read_array


def _enum(name: str, symbols: frozenset[str]) -> ReadValue:
    def read_enum(value: Any, path: str, reading: Reading) -> str:
        if isinstance(value, list) and len(value) == 1:
            reading.other_shape(path, f"a term of {name}")
            value = value[0]
        if not isinstance(value, str):
            raise _wrong(path, f"a term of {name}")
        if value in symbols:
            return value
        reading.unknown_symbol(path, name, value)
        reading.unrecognised[path] = value
        return OTHER if OTHER in symbols else "UNKNOWN"

    return read_enum


def _record(fields: dict[str, tuple[ReadValue, bool, Any]]) -> ReadValue:
    names = list(fields)

    def read_record(value: Any, path: str, reading: Reading) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise _wrong(path or "line", "an object")
        for name in value:
            if name not in fields:
                reading.unknown_name(path, name, names)
        record = {}
        for name, (inner, optional, default) in fields.items():
            given = value.get(name)
            if given is None and optional:
                record[name] = default.copy() if isinstance(default, (list, dict)) else default
            elif given is None:
                raise ContractError(f"{_join(path, name)}: missing", code="contract.missing-field")
            else:
                record[name] = inner(given, f"{path}.{name}" if path else name, reading)
        return record

    return read_record


_PRIMITIVE: dict[str, ReadValue] = {
    "string": _text,
    "long": _whole,
    "boolean": _truth,
    "double": _double,
}
_LOGICAL: dict[str, ReadValue] = {"timestamp-micros": _timestamp, "date": _date}
