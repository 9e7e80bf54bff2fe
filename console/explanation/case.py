"""Keeps what there is to say about one verdict: what was judged, and the facts it rests on as they were known.

A fact holds for an interval that often takes two statements to tell, the one that began it and the one that ended it:
both stand in its history, as they were known when the verdict was given.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from inzage.schemas.json_face import Said
from inzage.streams.dossier.law import law
from inzage.streams.dossier.remembered import remembered
from inzage.streams.dossier.time import FAR, LONG_AGO
from inzage.streams.screening.pack import Entry

_BEGINS = (
    *("valid_from", "given_at", "opened_at", "effective_at", "raised_at", "placed_at", "employment_from"),
    *("received_at", "entered_at", "asked_at"),
)
_ENDS = (
    *("valid_to", "expires_at", "withdrawn_at", "closed_at", "ended_at", "revoked_at", "lifted_at", "released_at"),
    *("resolved_at", "employment_to", "fulfilled_at", "refused_at"),
)
_ENDING = re.compile(r"(Ended|Withdrawn|Closed|Revoked|Lifted|Released|Resolved|Fulfilled|Refused)$")


@dataclass(frozen=True, slots=True)
class Statement:
    """One fact as it was said. `known_at` is the broker's time, or that of arrival in a file; UTC."""

    kind: str
    fact_id: str
    body: Mapping[str, Any]
    recorded_at: datetime
    known_at: datetime
    about_person: bool
    corrects: str | None = None


@dataclass(frozen=True, slots=True)
class FactInCase:
    """A fact a verdict names. `history` is empty when nothing of it was found; None: since ever, or still open."""

    family: str
    key: str
    version: str
    history: tuple[Statement, ...] = ()
    holds_from: datetime | None = None
    holds_to: datetime | None = None

    @property
    def statement(self) -> Statement | None:
        """The statement in the version that the verdict used."""
        return next((one for one in self.history if one.fact_id == self.version), None)


@dataclass(frozen=True, slots=True)
class Superseded:
    """An earlier verdict, and the fact because of which the next one took its place; None: time had passed.

    `verdict` is None where the record complied at first: nothing is written of what complies.
    """

    verdict: Mapping[str, Any] | None
    ended_at: datetime
    by: FactInCase | None


@dataclass(frozen=True, slots=True)
class Case:
    """One verdict, ready to be explained. `entry` is None when the pack at hand does not have its rule."""

    verdict: Mapping[str, Any]
    judged: Said | None
    facts: tuple[FactInCase, ...]
    before: tuple[Superseded, ...] = ()
    after: Mapping[str, Any] | None = None
    entry: Entry | None = None
    pack_version: str = ""


def statements_of(said: Iterable[tuple[Said, datetime]]) -> list[Statement]:
    """What was said and since when it was known, in that order; of activities those that amount to facts."""
    found = []
    for one, known_at in said:
        fact = remembered(one.record) if one.kind == "activity" else one.record
        if fact is not None:
            kind, body = fact["body"]
            about_person = one.kind != "reference"
            common = (fact["recorded_at"], known_at, about_person, fact["corrects"])
            found.append(Statement(kind.rpartition(".")[2], fact["fact_id"], body, *common))
    return found


def facts_in(verdict: Mapping[str, Any], said: Iterable[Statement]) -> tuple[FactInCase, ...]:
    """The facts that `verdict` names, out of what was `said`, in the order in which it became known."""
    known = [one for one in said if one.known_at <= verdict["evaluated_at"]]
    return tuple(_fact(used, known) for used in verdict["facts"])


def before_and_after(
    verdict: Mapping[str, Any], revisions: Sequence[Mapping[str, Any]], said: Sequence[Statement]
) -> tuple[tuple[Superseded, ...], Mapping[str, Any] | None]:
    """The verdicts that `verdict` superseded, oldest first, and the one that took its own place."""
    chain = {one["revision"]: one for one in (*revisions, verdict)}
    steps = [chain[revision] for revision in sorted(chain) if 0 < revision <= verdict["revision"]]
    before = [Superseded(chain.get(new["revision"] - 1), new["evaluated_at"], cause_of(new, said)) for new in steps]
    return tuple(before), chain.get(verdict["revision"] + 1)


def cause_of(verdict: Mapping[str, Any], said: Iterable[Statement]) -> FactInCase | None:
    """The fact that led to a superseding verdict: it became known when the verdict was evaluated."""
    facts = facts_in(verdict, said)
    return next((f for f in facts if f.statement and f.statement.known_at == verdict["evaluated_at"]), None)


def _fact(used: Mapping[str, str], known: Sequence[Statement]) -> FactInCase:
    family, key, version = used["kind"], used["key"], used["version"]
    own = next((one for one in known if one.fact_id == version), None)
    if own is None:
        return _of_law(family, key, version)
    history = tuple(one for one in known if one is own or _same_thing(one, own, key))
    replaced = {one.corrects for one in history if one.corrects}
    return FactInCase(
        family, key, version, history, *_interval([one for one in history if one.fact_id not in replaced])
    )


def _same_thing(one: Statement, own: Statement, key: str) -> bool:
    """Whether two statements are about the same thing: their kinds begin alike and they share a reference."""
    if one.corrects == own.fact_id or own.corrects == one.fact_id:
        return True
    if _first_word(one.kind) != _first_word(own.kind) or one.about_person != own.about_person:
        return False
    named = [name for name, value in own.body.items() if _is_reference(name) and isinstance(value, str)]
    shared = next((name for name in named if own.body[name] == key), named[0] if named else None)
    return shared is not None and one.body.get(shared) == own.body[shared]


def _is_reference(name: str) -> bool:
    return name.endswith(("_ref", "_id")) or name == "country"


def _first_word(kind: str) -> str:
    found = re.match(r"[A-Z][a-z]*", kind)
    return found[0] if found else kind


def _interval(history: Iterable[Statement]) -> tuple[datetime | None, datetime | None]:
    """From when until when it holds: a new beginning starts over, and the earliest end counts."""
    begin: datetime | None = None
    end: datetime | None = None
    for one in history:
        starts = [one.body[name] for name in _BEGINS if isinstance(one.body.get(name), datetime)]
        ends = [one.body[name] for name in _ENDS if isinstance(one.body.get(name), datetime)]
        if _ENDING.search(one.kind):
            ends = ends or [one.recorded_at]
        elif starts:
            begin, end = min(starts), None
        if ends:
            end = min([*ends, *([end] if end else [])])
    return begin, end


def _of_law(family: str, key: str, version: str) -> FactInCase:
    """A decision that ships with the law as data, when it is one: nobody had to say it."""
    decision = next((one for one in law().decisions if one.ref == version), None)
    if decision is None:
        return FactInCase(family, key, version)
    begin = None if decision.valid_from == LONG_AGO else decision.valid_from
    return FactInCase(family, key, version, (), begin, None if decision.valid_to == FAR else decision.valid_to)
