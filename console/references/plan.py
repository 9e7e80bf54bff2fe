"""Decides what loading a file changes: which of its facts are new, stand already, change or end what stands.

A fact without an identifier gets one from what it states and what it corrects, so that the same file on top of the
same facts says the same, and a second time nothing. What was changed in a file is a correction: the statement that
stood before names no longer what was so, it names what was believed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid5

from inzage.console.references.file import TO_BE_MADE, Read, Refused
from inzage.console.references.identity import ENDINGS, end_of
from inzage.console.references.standing import Identity, Known, Standing, identity_of, standing
from inzage.schemas.json_face import Said, write

_IDS = UUID("6f0e5c0a-90c6-5d0c-9d33-0f5f1f5f6c1e")  # of facts that state none
_ENVELOPE = frozenset(
    ("fact_id", "recorded_at", "controller_id", "source_system", "source_instance", "source_sequence", "corrects")
)


class Change(StrEnum):
    """What a fact of a file does to what stands."""

    NEW = "new"
    SAME = "same"
    CHANGED = "changed"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Step:
    """One fact of a file, ready to be said unless it is `SAME`. `corrects` is the fact in whose place it comes."""

    line: int
    change: Change
    said: Said
    identity: Identity
    corrects: str | None = None

    @property
    def fact_id(self) -> str:
        """Identifier of the statement: its own, or of the one that stands already."""
        identifier: str = self.said.record["fact_id"]
        return identifier


def plan(name: str, facts: Iterable[Read], known: Iterable[Known]) -> tuple[list[Step], list[Refused]]:
    """What the facts of a file called `name` do to what is `known`; refused is what contradicts either."""
    said = list(known)
    stands = standing(said)
    by_id = {one.fact["fact_id"]: one for one in said}
    steps: list[Step] = []
    refused: list[Refused] = []
    lines: dict[Identity, tuple[int, str]] = {}
    for one in facts:
        identity = identity_of(one.said.record)
        states = content_of(one.said.record)
        if identity in lines and lines[identity][1] != states:
            text = f"line {lines[identity][0]} of this file states something else about the same thing"
            refused.append(Refused(name, one.line, "", text))
            continue
        if identity in lines:
            continue
        lines[identity] = one.line, states
        own = by_id.get(one.said.record["fact_id"])
        if own is not None and content_of(own.fact) != states:
            refused.append(Refused(name, one.line, "fact_id", "fact_id: stands for other content already"))
            continue
        steps.append(_step(one, identity, stands.get(identity), own))
    return steps, refused


def content_of(fact: Mapping[str, Any]) -> str:
    """What a fact states, without who says so, when, and under which identifier: equal texts state the same."""
    face = write("reference", fact)["fact"]
    return json.dumps({name: value for name, value in face.items() if name not in _ENVELOPE}, sort_keys=True)


def _step(one: Read, identity: Identity, before: Standing | None, own: Known | None) -> Step:
    if own is not None:
        return Step(one.line, Change.SAME, one.said, identity)
    if before is not None and content_of(before.known.fact) == content_of(one.said.record):
        standing_id = before.known.fact["fact_id"]
        return Step(one.line, Change.SAME, _with(one.said, fact_id=standing_id), identity)
    corrects = one.said.record["corrects"] or (before.known.fact["fact_id"] if before else None)
    said = _with(one.said, corrects=corrects)
    if said.record["fact_id"] == TO_BE_MADE:
        parts = json.dumps([identity[0], content_of(said.record), corrects])
        said = _with(said, fact_id=str(uuid5(_IDS, parts)))
    return Step(one.line, _change(said, identity[1], before), said, identity, corrects)


def _change(said: Said, kind: str, before: Standing | None) -> Change:
    if before is None:
        return Change.ENDED if kind in ENDINGS else Change.NEW
    ends = end_of(said.record["body"][1])
    return Change.ENDED if ends is not None and end_of(before.known.body) is None else Change.CHANGED


def _with(said: Said, **changed: Any) -> Said:
    return replace(said, record={**said.record, **changed})
