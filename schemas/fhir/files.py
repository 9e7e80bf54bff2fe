"""Takes a file of FHIR apart into resources: NDJSON, a JSON array, a Bundle or one resource.

Every line or entry comes out, with what is wrong with it where it cannot be read; nothing is passed over but blank
lines.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from inzage.schemas.errors import ContractError
from inzage.schemas.fhir.lenient import Resource


@dataclass(frozen=True, slots=True)
class Found:
    """One resource, or why there is none. `number` is that of its line or entry, from 1; `original` its bytes."""

    number: int
    original: bytes
    resource: Resource | None = None
    error: ContractError | None = None


def resources(content: bytes) -> Iterator[Found]:
    """Every resource of a file."""
    whole = _parse(content)
    if isinstance(whole, list):
        yield from _entries(whole)
    elif isinstance(whole, dict) and whole.get("resourceType") == "Bundle":
        entries = whole.get("entry")
        listed = entries if isinstance(entries, list) else []
        yield from _entries([entry.get("resource") if isinstance(entry, dict) else entry for entry in listed])
    elif isinstance(whole, dict):
        yield Found(1, content, whole)
    else:
        for number, line in enumerate(content.splitlines(), start=1):
            if line.strip():
                yield _found(number, line, _parse(line))


def _parse(content: bytes) -> Any:
    try:
        return json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return ContractError("not JSON", code="contract.not-json")


def _entries(entries: list[Any]) -> Iterator[Found]:
    for number, entry in enumerate(entries, start=1):
        yield _found(number, json.dumps(entry, ensure_ascii=False).encode(), entry)


def _found(number: int, original: bytes, value: Any) -> Found:
    if isinstance(value, ContractError):
        return Found(number, original, error=value)
    if not isinstance(value, dict):
        return Found(number, original, error=ContractError("expected an object", code="contract.not-an-object"))
    return Found(number, original, resource=value)
