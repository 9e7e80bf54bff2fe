"""Feeds a generated stream to the screening and to the oracle, and tells where they differ."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from inzage.schemas.codec import encode
from inzage.schemas.json_face import read
from inzage.streams.dossier.law import law
from inzage.streams.dossier.references import References
from inzage.streams.screening.engine import Controller, engine
from inzage.streams.screening.record import Place, SaidRecord
from inzage.streams.screening.screener import Screener
from tests.differential.events import event
from tests.differential.generator import Generator
from tests.differential.oracle import VIOLATED, judge
from tests.differential.view import Seen
from tests.differential.world import World

START = datetime(2026, 5, 1, tzinfo=UTC)
PLACE = Place("inzage.test.events.v1", "topic-id", 0)


@dataclass
class Stream:
    """Facts, references and events in order of arrival; a position is an offset."""

    controller: str
    said: list[tuple[str, dict[str, Any]]]
    records: list[SaidRecord] = field(default_factory=list)
    references: list[tuple[datetime, dict[str, Any]]] = field(default_factory=list)
    events: dict[int, dict[str, Any]] = field(default_factory=dict)
    refused: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        for position, (kind, content) in enumerate(self.said):
            at = START + timedelta(seconds=position)
            content["recorded_at"] = at
            if isinstance(content.get("occurred_at"), timedelta):
                content["occurred_at"] += at
            record = read({"event" if kind == "event" else "fact": content}).record
            if kind == "reference":
                self.references.append((at, record))
                continue
            name, key = (
                ("activity", record["subject"]["pseudonym"]) if kind == "event" else ("fact", content["subject"])
            )
            known_at = int(at.timestamp() * 1000)
            message = encode("activity" if name == "activity" else "fact", record)
            self.records.append(SaidRecord(position, known_at, key.encode(), message))
            if kind == "event":
                self.events[position] = {**record, "known_at": at}

    def screener(self, controller: Controller) -> Screener:
        references = References(self.controller, law(), controller.policies.settings)
        for at, record in self.references:
            references.take(at, record)
        engine().forget_persons(controller)
        return Screener(engine(), controller, references, PLACE)

    def judged(self) -> Iterator[tuple[int, Seen]]:
        """Each event as the oracle sees it."""
        derogations: list[tuple[str, str, datetime]] = []
        for position in self.events:
            before = [
                (kind, content)
                for place, (kind, content) in enumerate(self.said[:position])
                if kind != "event" and place not in self.refused
            ]
            subject = self.events[position]["subject"]["pseudonym"]
            facts = [content for kind, content in before if kind == "fact" and content["subject"] == subject]
            references = [content for kind, content in before if kind == "reference"]
            world = World(self.controller, _uncorrected(facts), _uncorrected(references))
            seen = Seen(self.events[position], world, list(derogations))
            yield position, seen
            instrument = seen["transfer.instrument"] or ""
            if instrument.startswith("DEROGATION_"):
                derogations.append((seen.org or "", instrument, seen.t))


def _certified(opened: dict[str, Any]) -> bool:
    certificate = opened["clinical_certification"] or {}
    criteria = ("immediate_effect", "serious_deterioration_if_untreated", "life_threat")
    return certificate.get("certifier_role") in ("PHYSICIAN", "MEDICAL_ADVISER") and all(
        certificate.get(name) is True for name in criteria
    )


def _uncorrected(facts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    corrected = {fact.get("corrects") for fact in facts}
    return [fact for fact in facts if fact["fact_id"] not in corrected]


def generated(seed: int, controller: str, events: int, *, blocks: int = 4) -> Stream:
    """A stream whose references are said in a few blocks: each one cuts a batch."""
    of = Generator(seed, controller)
    said: list[tuple[str, dict[str, Any]]] = []
    for _ in range(blocks):
        said += [("reference", of.reference()) for _ in range(40)]
        for _ in range(events // blocks):
            if of.chance(0.25):
                said.append(("fact", of.person_fact()))
            said.append(("event", event(of)))
    return Stream(controller, said)


def differences(stream: Stream, controller: Controller) -> tuple[list[dict[str, Any]], dict[str, set[str]]]:
    """What screening and oracle judge differently, and the results seen per entry."""
    outcome = stream.screener(controller).screen(stream.records)
    assert {letter["reason"] for letter in outcome.dead_letters} <= {"contract.fact-contradicts"}
    stream.refused = {letter["offset"] for letter in outcome.dead_letters}
    assert not stream.refused & stream.events.keys()
    found = {(v["offset"], v["rule_id"]): v["result"] for v in outcome.verdicts}
    rules = [entry.id for entry in controller.policies.entries if entry.id in VIOLATED]
    results: dict[str, set[str]] = {rule: set() for rule in rules}
    wrong = []
    for position, seen in stream.judged():
        for rule in rules:
            said, wanted = found.get((position, rule), "OK"), judge(seen, rule)
            results[rule].add(said)
            if said != wanted:
                wrong.append({"rule": rule, "screening": said, "oracle": wanted, "event": seen.event})
    for position, (_, fact) in enumerate(stream.said):
        if fact.get("type") == "EmergencyOpened" and position not in stream.refused and "CIGNA-57" in rules:
            said, wanted = found.get((position, "CIGNA-57"), "OK"), "OK" if _certified(fact) else "VIOLATION"
            if said != wanted:
                wrong.append({"rule": "CIGNA-57", "screening": said, "oracle": wanted, "event": fact})
    return wrong, results
