"""Makes the everyday events of the month: each a variant of a situation of the script, with its own person and time.

A variant is read and checked once; its events differ in ids, times, person and staff alone, which keeps making them
some hundred times cheaper than reading each.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

from inzage.console.demonstration.calendar import MONTH_START
from inzage.console.demonstration.cast import EMPLOYERS, STAFF_PER_ROLE, Member, staff
from inzage.console.demonstration.identity import drawn_id
from inzage.console.demonstration.script import Face, filled, laid_over, script
from inzage.schemas.json_face import Said, read

_SAID_AFTER = timedelta(seconds=4)  # the same for all, so that what happens in order is said in order


@dataclass(frozen=True, slots=True)
class Variant:
    """One way a situation turns out. `employer` is set where the event tells of the person's employer."""

    record: Mapping[str, Any]
    employer: str | None
    weight: float


class Routine:
    """The everyday work of one controller with its `members`."""

    def __init__(self, controller_id: str, members: Sequence[Member]) -> None:
        self._variants = list(_variants(controller_id))
        self._weights = [variant.weight for variant in self._variants]
        self._members: dict[str | None, list[Member]] = defaultdict(list)
        for person in members:
            self._members[None].append(person)
            self._members[person.employer].append(person)

    def events(self, moments: Sequence[datetime], chance: Random) -> Iterator[tuple[datetime, Said]]:
        """An event at each of `moments`, with the instant at which it is said."""
        for at in moments:
            (variant,) = chance.choices(self._variants, self._weights)
            people = self._members.get(variant.employer) or self._members[None]
            yield self._event(variant, chance.choice(people), at, chance)

    def _event(self, variant: Variant, person: Member, at: datetime, chance: Random) -> tuple[datetime, Said]:
        record = dict(variant.record)
        said_at = at + _SAID_AFTER
        actor = record["actor"]
        record["event_id"] = drawn_id(at, chance)
        record["occurred_at"] = at
        record["recorded_at"] = said_at
        record["subject"] = {"pseudonym": person.pseudonym, "relation": person.relation}
        record["actor"] = {**actor, "id": staff(actor["role"], chance.randrange(STAFF_PER_ROLE))}
        record["case_ref"] = person.case
        if person.controller_id == "CIGNA":
            record["service_ref"] = person.policy
        return said_at, Said("activity", record)


def _variants(controller_id: str) -> Iterator[Variant]:
    content = script(f"{controller_id.lower()}_routine")
    for situation in content["situations"]:
        event = laid_over(content["base"], situation["event"])
        event |= {"controller_id": controller_id, "source_system": situation["source_system"]}
        faces = [laid_over(event, change) for change in situation.get("one_of", [{}])]
        told_employers = list(EMPLOYERS) if "{employer}" in str(event) else [None]
        weight = situation["weight"] / len(faces) / len(told_employers)
        for face in faces:
            for employer in told_employers:
                yield Variant(_checked(face, employer), employer, weight)


def _checked(face: Face, employer: str | None) -> Mapping[str, Any]:
    names = {"employer": employer, "employer_country": EMPLOYERS[employer][0]} if employer else {}
    envelope = {
        "event_id": "open",
        "occurred_at": MONTH_START,
        "recorded_at": MONTH_START,
        "subject": {"pseudonym": "open"},
    }
    return read({"event": {**envelope, **filled(face, names)}}).record
