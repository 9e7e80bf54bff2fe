"""Decides which reference facts stand: as known at one instant, what holds at another.

What was corrected does not stand, a later statement about the same thing takes the place of the earlier one, and an
ending ends what it names, also when it was said before a correction of that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from inzage.console.references.identity import ENDINGS, Ending, begin_of, end_of, key_of


@dataclass(frozen=True, slots=True)
class Known:
    """A decoded reference fact, known since `known_at`, UTC."""

    fact: Mapping[str, Any]
    known_at: datetime

    @property
    def kind(self) -> str:
        """Its kind, for example AgreementSigned."""
        name: str = self.fact["body"][0]
        return name.rpartition(".")[2]

    @property
    def body(self) -> Mapping[str, Any]:
        """What it states."""
        body: Mapping[str, Any] = self.fact["body"][1]
        return body


@dataclass(frozen=True, slots=True)
class Standing:
    """A statement that stands, from when until when, both UTC; `ended_by` is the fact that ended it."""

    known: Known
    key: str
    holds_from: datetime | None
    holds_to: datetime | None
    ended_by: str | None = None

    def holds_at(self, instant: datetime) -> bool:
        """Whether it holds at `instant`: from its begin, up to but not at its end."""
        begun = self.holds_from is None or self.holds_from <= instant
        return begun and (self.holds_to is None or instant < self.holds_to)


Identity = tuple[str, str, str]
"""Controller in capitals, kind, and key."""


def identity_of(fact: Mapping[str, Any]) -> Identity:
    """What a reference fact is about."""
    name, body = fact["body"]
    kind = name.rpartition(".")[2]
    return fact["controller_id"].upper(), kind, key_of(kind, body)


def standing(said: Iterable[Known]) -> dict[Identity, Standing]:
    """What stands of `said`, which is in the order in which it became known."""
    known = list(said)
    replaced = {one.fact["corrects"] for one in known if one.fact["corrects"]}
    stands = [one for one in known if one.fact["fact_id"] not in replaced]
    found: dict[Identity, Standing] = {}
    for one in stands:
        identity = identity_of(one.fact)
        found[identity] = Standing(one, identity[2], begin_of(one.body), end_of(one.body))
    for one in stands:
        if one.kind in ENDINGS:
            _end(found, one, ENDINGS[one.kind])
    return found


def _end(found: dict[Identity, Standing], ending: Known, how: Ending) -> None:
    """End what `ending` names and began before; at an unknown time means when it was recorded."""
    at = ending.body.get(how.at) or ending.fact["recorded_at"]
    controller = ending.fact["controller_id"].upper()
    for identity, row in found.items():
        shared = all(ending.body.get(name) in (None, row.known.body.get(name)) for name in how.shared)
        begun = row.holds_from is None or row.holds_from < at
        if (
            identity[:2] == (controller, how.kind)
            and shared
            and begun
            and (row.holds_to is None or at < row.holds_to)
        ):
            found[identity] = replace(row, holds_to=at, ended_by=ending.fact["fact_id"])
