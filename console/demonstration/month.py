"""Decides what is said in the month: references, then facts and events in the order of time, the same for a seed.

The month falls into lanes, each with people of its own, so that processes emit side by side and still say
everything about one person in order.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from inzage.console.demonstration.calendar import MONTH_START, moments
from inzage.console.demonstration.cast import CONTROLLERS, SHARE, member
from inzage.console.demonstration.label import Label
from inzage.console.demonstration.routine import Routine
from inzage.console.demonstration.script import repeated, script
from inzage.console.demonstration.story import Utterance, cover, stories
from inzage.schemas.json_face import Said, read

LANES = 2
EVENTS_PER_MEMBER = 60
_FEWEST_MEMBERS = 12
_ENROLLED_BY = MONTH_START - timedelta(hours=1)
_KNOWN_SINCE = datetime(2026, 2, 1, tzinfo=MONTH_START.tzinfo)


@dataclass(frozen=True, slots=True)
class Month:
    """A month of `events` activities; facts come on top."""

    seed: int
    events: int

    def references(self) -> list[Said]:
        """What the controllers knew before the month began."""
        return [
            read(
                {
                    "fact": {
                        "fact_id": f"REF-{controller_id}-{number}",
                        "recorded_at": _KNOWN_SINCE,
                        "controller_id": controller_id,
                        "source_system": "registry",
                        **face,
                    }
                }
            )
            for controller_id in CONTROLLERS
            for number, face in enumerate(
                one for entry in script(f"{controller_id.lower()}_references") for one in repeated(entry)
            )
        ]

    def labels(self) -> list[Label]:
        """What is known beforehand, planted violations and near misses."""
        return [one.label for lane in range(LANES) for one in self._told(lane) if one.label is not None]

    def lane(self, lane: int) -> Iterator[Said]:
        """What the people of one lane say and do, in order of time."""
        told = sorted(self._told(lane), key=_at)
        in_stories = sum(one.said.kind == "activity" for one in told)
        routines = [self._routine(controller_id, lane, in_stories) for controller_id in CONTROLLERS]
        for utterance in heapq.merge(told, *routines, key=_at):
            yield utterance.said

    def _told(self, lane: int) -> list[Utterance]:
        """The utterances of every second story."""
        return [
            utterance
            for controller_id in CONTROLLERS
            for number, story in enumerate(stories(controller_id, self.seed, self.events))
            if number % LANES == lane
            for utterance in story
        ]

    def _routine(self, controller_id: str, lane: int, in_stories: int) -> Iterator[Utterance]:
        chance = Random(f"{self.seed}/{controller_id}/routine/{lane}")  # noqa: S311 - reproducible, not secret
        count = self._everyday_events(controller_id, lane, in_stories)
        people = [
            member(controller_id, chance) for _ in range(max(_FEWEST_MEMBERS, round(count / EVENTS_PER_MEMBER)))
        ]
        if controller_id == "CIGNA":
            for number, person in enumerate(people):
                at = _ENROLLED_BY + timedelta(milliseconds=number)
                for said in cover(person, at, chance):
                    yield Utterance(at, said)
        routine = Routine(controller_id, people)
        for at, said in routine.events(moments(count, chance), chance):
            yield Utterance(at, said)

    def _everyday_events(self, controller_id: str, lane: int, in_stories: int) -> int:
        """Events that are left when the stories are told, shared out so that none is lost in rounding."""
        own = self.events // LANES + (lane < self.events % LANES)
        left = max(0, own - in_stories)
        of_cigna = round(left * SHARE["CIGNA"])
        return of_cigna if controller_id == "CIGNA" else left - of_cigna


def _at(utterance: Utterance) -> datetime:
    return utterance.at
