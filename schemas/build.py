"""Makes the Avro schemas of the contract from the tables in `definition/` and the vocabulary.

`python -m inzage.schemas.build` writes `avro/*.avsc`; a test compares, so neither can drift from the other.
Notation of a type: `string`, `long`, `double`, `boolean`, `bytes`, `timestamp` (microseconds, UTC), `date`,
`map` (of strings), an enumeration of the vocabulary, a record of the table; `[T]` is a list, `T?` may be null.
A field that the table lists as `revealing` says so in its schema, and must hold text.
"""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any, cast

import yaml

from inzage.schemas.errors import ConfigError
from inzage.schemas.vocabulary import UNKNOWN, symbols, terms

RECORDS = (
    "activity",
    "fact",
    "reference",
    "verdict",
    "judged",
    "dead_letter",
    "review",
    "heartbeat",
    "incompleteness",
    "checkpoint",
    "attestation",
    "pruning",
    "pruning_request",
    "dossier",
)

_PRIMITIVES: dict[str, Any] = {
    "string": "string",
    "long": "long",
    "double": "double",
    "boolean": "boolean",
    "bytes": "bytes",
    "timestamp": {"type": "long", "logicalType": "timestamp-micros"},
    "date": {"type": "int", "logicalType": "date"},
    "map": {"type": "map", "values": "string"},
}


_WORDS = frozenset({"string", "string?", "[string]", "map"})


class _Builder:
    """Turns one table into one schema; Avro wants a named type spelled out once and named afterwards."""

    def __init__(self, table: dict[str, Any]) -> None:
        self._table = table
        self._records: dict[str, Any] = {**(table.get("records") or {}), **(table.get("kinds") or {})}
        self._spelled: set[str] = set()

    def schema(self) -> dict[str, Any]:
        table = self._table
        fields = self._fields(table["record"], table)
        if kinds := table.get("kinds"):
            doc = "What is said: a record named after the kind of fact."
            fields.append({"name": "body", "type": [self._record(kind) for kind in kinds], "doc": doc})
        return self._as_record(table["record"], table["doc"], fields)

    def _as_record(self, name: str, doc: str, fields: list[dict[str, Any]]) -> dict[str, Any]:
        namespace = "inzage.v1"
        return {"type": "record", "name": name, "namespace": namespace, "doc": doc, "fields": fields}

    def _fields(self, record: str, table: dict[str, Any]) -> list[dict[str, Any]]:
        revealing = table.get("revealing", ())
        for name in revealing:
            if table["fields"].get(name, ("nothing",))[0] not in _WORDS:
                raise ConfigError(f"{record}.{name}: revealing, but no field of text", code="config.definition")
        fields = [self._field(name, spec) for name, spec in table["fields"].items()]
        return [{**field, "revealing": True} if field["name"] in revealing else field for field in fields]

    def _field(self, name: str, spec: list[Any]) -> dict[str, Any]:
        notation, doc = spec[0], spec[1]
        field = {"name": name, "type": self._type(notation), "doc": doc}
        if len(spec) == 3:
            field["default"] = spec[2]
        elif notation.endswith("?"):
            field["default"] = None
        elif notation.startswith("["):
            field["default"] = []
        elif notation == "map":
            field["default"] = {}
        return field

    def _type(self, notation: str) -> Any:
        if notation.endswith("?"):
            return ["null", self._type(notation[:-1])]
        if notation.startswith("["):
            return {"type": "array", "items": self._type(notation[1:-1])}
        if notation in _PRIMITIVES:
            return _PRIMITIVES[notation]
        if notation in self._records:
            return self._record(notation)
        return self._enum(notation.removeprefix("vocabulary."))

    def _record(self, name: str) -> Any:
        if name in self._spelled:
            return f"inzage.v1.{name}"
        self._spelled.add(name)
        spec = self._records[name]
        if "revealing" in spec and name not in (self._table.get("kinds") or {}):
            raise ConfigError(f"{name}: only a whole record lists what is revealing", code="config.definition")
        fields = self._fields(name, spec)
        return self._as_record(name, spec["doc"], fields)

    def _enum(self, name: str) -> Any:
        full = f"inzage.vocabulary.{name}"
        if full in self._spelled:
            return full
        self._spelled.add(full)
        listed = list(symbols(name))
        enum = {"type": "enum", "name": name, "namespace": "inzage.vocabulary", "symbols": listed}
        iris = {symbol: term.iri for symbol, term in terms()[name].items() if term.iri}
        return {**enum, "default": UNKNOWN, **({"dpv": iris} if iris else {})}


def build(name: str) -> dict[str, Any]:
    """The schema of the record defined in `definition/<name>.yaml`, as Avro JSON."""
    text = files("inzage.schemas").joinpath("definition", f"{name}.yaml").read_text(encoding="utf-8")
    return _Builder(cast("dict[str, Any]", yaml.safe_load(text))).schema()


def render(name: str) -> str:
    """The text of `avro/<name>.avsc`."""
    return json.dumps(build(name), indent=1, ensure_ascii=False) + "\n"


def main() -> None:
    """Write every schema beside this file."""
    folder = Path(__file__).parent / "avro"
    for name in RECORDS:
        (folder / f"{name}.avsc").write_text(render(name), encoding="utf-8")


if __name__ == "__main__":
    main()
