"""Says what a fact states, in words: terms of the vocabulary, yes and no, references and countries, and nothing else.

Texts, dates and numbers may say something of a person and are left out; the trail has them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from inzage.schemas.codec import current
from inzage.schemas.vocabulary import label, terms

_HARMLESS = ("_ref", "_refs", "_org_id", "_org_ids", "country", "countries", "org_id", "plan", "role", "decision_ref")
_SUBSTANCE = {"string": "text", "boolean": "boolean"}


def stated(kind: str, body: Mapping[str, Any], key: str = "") -> str:
    """`purposes: fraud prevention; explicit: yes`, without the reference `key` itself; may be empty."""
    return "; ".join(_parts(kind, {name: value for name, value in body.items() if value != key}))


def _parts(record: str, body: Mapping[str, Any]) -> Iterator[str]:
    fields = _fields().get(record, {})
    for name, value in body.items():
        substance = fields.get(name)
        if value is None or value == [] or substance is None:
            continue
        words = name.replace("_", " ")
        if isinstance(value, Mapping):
            yield from _parts(substance, value)
        elif substance == "boolean":
            yield f"{words}: {'yes' if value else 'no'}"
        elif substance in terms():
            symbols = value if isinstance(value, (list, tuple)) else [value]
            yield f"{words}: {', '.join(label(substance, symbol) for symbol in symbols)}"
        elif substance == "text" and name.endswith(_HARMLESS):
            yield f"{words}: {', '.join(value) if isinstance(value, (list, tuple)) else value}"


@cache
def _fields() -> Mapping[str, Mapping[str, str]]:
    """Record of a body -> field -> enumeration, record, `text` or `boolean`; fields of another kind are left out."""
    found: dict[str, dict[str, str]] = {}

    def substance(avro: Any) -> str | None:
        if isinstance(avro, list):
            return substance(avro[-1])
        if isinstance(avro, str):
            return _SUBSTANCE.get(avro, avro.rpartition(".")[2] if "." in avro else None)
        if avro["type"] == "array":
            return substance(avro["items"])
        if avro["type"] == "record":
            visit(avro)
        name: str | None = avro.get("name")
        return name

    def visit(avro: Mapping[str, Any]) -> None:
        named = {field["name"]: substance(field["type"]) for field in avro["fields"]}
        found[avro["name"]] = {name: kind for name, kind in named.items() if kind}

    for kind in ("fact", "reference"):
        for body in json.loads(current(kind).text)["fields"][-1]["type"]:
            visit(body)
    return found
