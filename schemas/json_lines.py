"""Reads a file of facts and events in the order in which they arrived, and says which line is wrong and why.

Arrival is `recorded_at`, facts before events on a tie; a line without it arrives with the line before. A fact that
ends or corrects another may leave out its subject and controller: they are those of the fact it names.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from inzage.schemas.errors import ContractError
from inzage.schemas.json_face import Said, is_about_person, read

_EARLIEST = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a file: what was read, or why it could not be. `number` counts from 1; `text` is the original."""

    number: int
    text: str
    said: Said | None = None
    error: ContractError | None = None


class _NamedFacts:
    """Remembers whose facts have which references, so that a later fact may name just the reference."""

    def __init__(self) -> None:
        self._whose: dict[tuple[str, str], tuple[str | None, str | None]] = {}

    def complete(self, content: dict[str, Any]) -> dict[str, Any]:
        if not is_about_person(content.get("type")) or (content.get("subject") and content.get("controller_id")):
            return content
        for reference in self._references(content):
            if reference in self._whose:
                subject, controller = self._whose[reference]
                content = {"subject": subject, "controller_id": controller} | {
                    key: value for key, value in content.items() if value is not None
                }
        return content

    def remember(self, content: Mapping[str, Any], said: Said) -> None:
        subject = said.record.get("subject")
        if isinstance(subject, str):
            own = [("fact_id", content["fact_id"])] if isinstance(content.get("fact_id"), str) else []
            for reference in (*self._references(content), *own):
                self._whose.setdefault(reference, (subject, said.record["controller_id"]))

    def _references(self, content: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        for name, value in content.items():
            if isinstance(value, str) and (name.endswith("_ref") or name == "record_id"):
                yield name, value
        if isinstance(corrected := content.get("corrects"), str):
            yield "fact_id", corrected


def read_lines(texts: Iterable[str], *, strict: bool = True, controller_id: str | None = None) -> list[Line]:
    """All lines of a file in order of arrival; blank lines are passed over. Errors stand in the lines."""
    parsed = [_parse(number, text) for number, text in enumerate(texts, start=1) if text.strip()]
    return read_arrivals(parsed, strict=strict, controller_id=controller_id)


def _parse(number: int, text: str) -> tuple[int, str, Mapping[str, Any] | ContractError]:
    try:
        content = json.loads(text)
    except ValueError:
        return number, text, ContractError("not JSON", code="contract.not-json")
    if not isinstance(content, dict):
        return number, text, ContractError("expected an object", code="contract.not-an-object")
    return number, text, content


def read_arrivals(
    parsed: Sequence[tuple[int, str, Mapping[str, Any] | ContractError]],
    *,
    strict: bool = True,
    controller_id: str | None = None,
) -> list[Line]:
    """The same for lines that are objects already: `(number, text, object or error)`."""
    named = _NamedFacts()
    arrived = sorted(_with_arrival(parsed), key=lambda pair: pair[0])
    return [_read_line(*line, named, strict, controller_id) for _, line in arrived]


def _with_arrival(
    parsed: Sequence[tuple[int, str, Mapping[str, Any] | ContractError]],
) -> Iterator[tuple[tuple[datetime, bool, int], tuple[int, str, Mapping[str, Any] | ContractError]]]:
    arrived = _EARLIEST
    for position, line in enumerate(parsed):
        content = line[2]
        is_event = False
        if not isinstance(content, ContractError):
            inner = content.get("event", content.get("fact", content))
            is_event = "event" in content or (isinstance(inner, dict) and "event_type" in inner)
            arrived = _instant(inner.get("recorded_at") if isinstance(inner, dict) else None) or arrived
        yield (arrived, is_event, position), line


def _instant(text: Any) -> datetime | None:
    try:
        instant = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return instant if instant.tzinfo else None


def _read_line(
    number: int,
    text: str,
    content: Mapping[str, Any] | ContractError,
    named: _NamedFacts,
    strict: bool,
    controller_id: str | None,
) -> Line:
    if isinstance(content, ContractError):
        return Line(number, text, error=content)
    inner = content.get("event", content.get("fact", content))
    try:
        if isinstance(inner, dict) and "type" in inner and "event_type" not in inner:
            inner = named.complete(inner)
            said = read({"fact": inner}, strict=strict, controller_id=controller_id)
            named.remember(inner, said)
        else:
            said = read(content, strict=strict, controller_id=controller_id)
    except ContractError as error:
        return Line(number, text, error=error)
    return Line(number, text, said=said)
