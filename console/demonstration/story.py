"""Makes stories: what happens to one person, fact by fact and event by event, with what must be found in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

from inzage.console.demonstration.calendar import story_moment
from inzage.console.demonstration.cast import PROVIDERS, TEAM, Member, member
from inzage.console.demonstration.identity import drawn_id
from inzage.console.demonstration.label import Label
from inzage.console.demonstration.script import Face, filled, laid_over, offset, script
from inzage.schemas.json_face import Said, read

FULL_MONTH = 200_000
"""Events of the month for which the scripts say how often a story happens."""

_USUAL_TIMES = 4
_A_DAY_BEFORE = "-1d"
_COVERED = timedelta(days=2)
_SAID_AFTER = timedelta(seconds=4)


@dataclass(frozen=True, slots=True)
class Utterance:
    """Something said at `at`, with its label when something is known about it beforehand."""

    at: datetime
    said: Said
    label: Label | None = None


def stories(controller_id: str, seed: int, events: int) -> Iterator[list[Utterance]]:
    """Every story of a month of `events` events; each at least once."""
    content = script(f"{controller_id.lower()}_stories")
    for plot in content["stories"]:
        times = max(1, round(plot.get("times", _USUAL_TIMES) * events / FULL_MONTH))
        for number in range(times):
            chance = Random(f"{seed}/{controller_id}/{plot['story']}/{number}")  # noqa: S311 - reproducible, not secret
            yield _story(controller_id, plot, content["base"], chance)


def cover(person: Member, at: datetime, chance: Random, policyholder: str = "") -> Iterator[Said]:
    """The facts that `person` is insured through an employer, and has a claim that a team works on."""
    since = "2025-01-01T00:00:00+01:00"
    faces: list[Face] = [
        {
            "type": "EnrolmentRecorded",
            "employer_id": person.employer,
            "plan": person.plan,
            "relation": person.relation,
            "policyholder": policyholder or person.pseudonym,
            "country_of_work": person.country_of_work,
            "role_linked_eligibility": False,
            "service_ref": person.policy,
            "valid_from": since,
        },
        {"type": "SubjectRegistered", "home_country": "BE", "residence_country": "BE", "birth_date": "1985-04-12"},
        {
            "type": "CaseOpened",
            "case_ref": person.case,
            "case_type": "CLAIM",
            "opened_at": since,
            "assigned_actor_ids": [TEAM],
            "provider_org_ids": list(PROVIDERS),
        },
    ]
    for face in faces:
        yield _fact(person, face, at, chance)


def _story(controller_id: str, plot: Mapping[str, Any], base: Face, chance: Random) -> list[Utterance]:
    person = member(controller_id, chance, works_in=plot.get("works_in"))
    moment = story_moment(chance)
    names = {**person.names, "n": f"{chance.getrandbits(40):010x}"}
    told = []
    if controller_id == "CIGNA":
        at = moment - _COVERED
        known = () if plot.get("stranger") else cover(person, at, chance, plot.get("policyholder", ""))
        told += [Utterance(at, said) for said in known]
    for part in plot["said"]:
        if "fact" in part:
            at = moment + _away(part.get("at", _A_DAY_BEFORE))
            fact = _fact(person, filled(part["fact"], names, moment), at, chance)
            told.append(Utterance(at, fact, _label(fact.record["fact_id"], controller_id, plot, part)))
        else:
            event = filled(laid_over(base, part["event"]), names, moment)
            told.append(_event(person, plot, part, event, moment + _away(part.get("at", "t")), chance))
    return told


def _away(text: str) -> timedelta:
    away = offset(text)
    if away is None:
        raise ValueError(f"{text}: not a time relative to a story")
    return away


def _fact(person: Member, face: Face, at: datetime, chance: Random) -> Said:
    envelope = {
        "fact_id": drawn_id(at, chance),
        "recorded_at": at,
        "controller_id": person.controller_id,
        "source_system": "registry",
        "subject": person.pseudonym,
    }
    return read({"fact": {**envelope, **face}})


def _event(
    person: Member, plot: Mapping[str, Any], part: Mapping[str, Any], face: Face, at: datetime, chance: Random
) -> Utterance:
    said_at = at + _SAID_AFTER
    event_id = drawn_id(at, chance)
    envelope = {
        "event_id": event_id,
        "occurred_at": at,
        "recorded_at": said_at,
        "controller_id": person.controller_id,
        "source_system": "claims",
        "subject": {"pseudonym": person.pseudonym, "relation": person.relation},
        "case_ref": person.case,
        **({"service_ref": person.policy} if person.controller_id == "CIGNA" else {}),
    }
    said = read({"event": laid_over(envelope, face)}, strict=not plot.get("lenient", False))
    return Utterance(said_at, said, _label(event_id, person.controller_id, plot, part))


def _label(identifier: str, controller_id: str, plot: Mapping[str, Any], part: Mapping[str, Any]) -> Label | None:
    """The label of a part; a fact of which the script says nothing is like any other and has none."""
    if "fact" in part and "fires" not in part:
        return None
    expected: dict[str, str] = {}
    for entry in part.get("fires", ()):
        expected |= entry if isinstance(entry, dict) else {entry: "VIOLATION"}
    return Label(identifier, controller_id, plot["story"], expected)
