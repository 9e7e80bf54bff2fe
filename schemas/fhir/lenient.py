"""Reads values out of FHIR JSON as it is found: one where a list belongs, a list where one belongs, or nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

Resource = Mapping[str, Any]


def each(value: Any) -> Iterator[Resource]:
    """The objects in `value`, be it one, a list or nothing."""
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, Mapping):
            yield item


def one(value: Any) -> Resource:
    """The first object in `value`, or an empty one."""
    return next(each(value), {})


def text(value: Any) -> str | None:
    """Text that is not blank; numbers as text."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value.strip() or None if isinstance(value, str) else None


def codes(concept: Any) -> list[str]:
    """The codes of a Coding or a CodeableConcept, or of several, in order."""
    found = []
    for item in each(concept):
        for coding in each(item.get("coding", item)):
            if code := text(coding.get("code")):
                found.append(code)
    return found


def label(reference: Any) -> str | None:
    """What a Reference points to: its reference, else its identifier with system, else its display."""
    pointed = one(reference)
    if found := text(pointed.get("reference")):
        return found.split("/_history/")[0]
    for identifier in each(pointed.get("identifier")):
        if value := text(identifier.get("value")):
            system = text(identifier.get("system"))
            return f"{system}|{value}" if system else value
    return text(pointed.get("display"))


def resource_type(reference: Any) -> str | None:
    """The type of resource a Reference points to, where it says so."""
    pointed = one(reference)
    if kind := text(pointed.get("type")):
        return kind.rsplit("/", 1)[-1]
    parts = (text(pointed.get("reference")) or "").split("/_history/")[0].split("/")
    return parts[-2] if len(parts) >= 2 and parts[-2][:1].isupper() else None


def instant(value: Any) -> datetime | None:
    """A moment with a zone; None for a date alone, a time without a zone and anything else."""
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return moment if moment.tzinfo else None
