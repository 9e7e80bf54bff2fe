"""Says which fields an event has: by which name a policy reads each, and what it is in ClickHouse."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from inzage.schemas.codec import current

_TYPES = {"string": "String", "long": "Int64", "double": "Float64", "boolean": "Bool"}


@dataclass(frozen=True, slots=True)
class Leaf:
    """One field of the event: where it stands in the Avro record and what it is in ClickHouse."""

    name: str
    path: str
    type: str
    enum: str | None

    @property
    def is_symbol(self) -> bool:
        """Whether it is one symbol of an enumeration: UNKNOWN of such reads as NULL."""
        return self.enum is not None and not self.type.startswith("Array")

    @property
    def sql(self) -> str:
        """The column that expressions read."""
        return f"`e_{self.name}`" if self.is_symbol else f"`{self.path}`"


@cache
def leaves() -> Mapping[str, Leaf]:
    """The event's fields by dotted name: `recipient.category` stands at `recipient.Recipient.category`."""
    return leaves_of(current("activity").text)


def leaves_of(schema: str) -> Mapping[str, Leaf]:
    """The fields of an event written with `schema`, an Avro schema as JSON."""
    named: dict[str, Any] = {}
    found: dict[str, Leaf] = {}

    def visit(avro: Any, name: str, path: str, nullable: bool) -> None:
        if isinstance(avro, str) and avro in named:
            avro = named[avro]
        if isinstance(avro, list):
            inner = named.get(avro[1], avro[1]) if isinstance(avro[1], str) else avro[1]
            branch = f"{path}.{inner['name']}" if isinstance(inner, dict) and inner["type"] == "record" else path
            visit(inner, name, branch, True)
        elif isinstance(avro, dict) and avro["type"] == "record":
            named[f"{avro['namespace']}.{avro['name']}"] = avro
            for field in avro["fields"]:
                visit(field["type"], f"{name}.{field['name']}" if name else field["name"],
                      f"{path}.{field['name']}" if path else field["name"], nullable)  # fmt: skip
        else:
            kind, enum = _clickhouse(avro, named)
            wrapped = kind if not nullable or kind.startswith(("Array", "Map")) else f"Nullable({kind})"
            found[name] = Leaf(name, path, wrapped, enum)

    visit(json.loads(schema), "", "", False)
    return found


def _clickhouse(avro: Any, named: dict[str, Any]) -> tuple[str, str | None]:
    if isinstance(avro, str):
        return _clickhouse(named[avro], named) if avro in named else (_TYPES[avro], None)
    if avro.get("logicalType") == "timestamp-micros":
        return "DateTime64(6, 'UTC')", None
    if avro["type"] == "enum":
        named[f"{avro['namespace']}.{avro['name']}"] = avro
        return "String", avro["name"]
    if avro["type"] == "array":
        inner, enum = _clickhouse(avro["items"], named)
        return f"Array({inner})", enum
    return "Map(String, String)", None
