"""Explains a case in sentences, each taken from `wording`, with times as the controller's office reads them.

Persons stand as the references by which the trail knows them. What the event and the facts say in free words is not
repeated.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from inzage.console.explanation import wording
from inzage.console.explanation.case import Case, FactInCase, Statement
from inzage.console.explanation.stated import stated
from inzage.schemas.vocabulary import OTHER, UNKNOWN, label

_REFERENCES = ("case_ref", "service_ref", "consent_ref", "emergency_ref", "legal_provision_ref", "request_ref")
_MACHINES = ("SYSTEM", "SERVICE_ACCOUNT", "DEVICE")


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with its sentences; those of a list stand under one another."""

    name: str
    heading: str
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """One verdict explained. `sections` are in the order in which they are read."""

    title: str
    about: str
    sections: tuple[Section, ...]
    case: Case

    def as_text(self) -> str:
        """The explanation as plain text, ending in a line break."""
        parts = [self.title, self.about]
        for section in self.sections:
            parts += ["", section.heading, *(f"  {sentence}" for sentence in section.sentences)]
        return "\n".join(parts) + "\n"

    def as_json(self) -> dict[str, Any]:
        """The same for a program: sentences by section, beside the facts with their intervals."""
        verdict = self.case.verdict
        names = ("verdict_id", "event_id", "controller_id", "rule_id", "result", "severity", "reason", "heading")
        return {
            **{name: verdict[name] for name in (*names, "promise", "articles", "pack", "pack_version", "revision")},
            "facts": [_fact_json(fact) for fact in self.case.facts],
            "supersedes": [old.verdict["verdict_id"] for old in self.case.before if old.verdict],
            "superseded_by": self.case.after["verdict_id"] if self.case.after else None,
            "title": self.title,
            **{section.name: list(section.sentences) for section in self.sections},
        }


def explain(case: Case, zone: ZoneInfo, *, in_trail: bool = True) -> Explanation:
    """Explain `case`; times are told in `zone`."""
    return _Teller(case, zone, in_trail).explanation()


class _Teller:
    """Tells one case, one section after the other."""

    def __init__(self, case: Case, zone: ZoneInfo, in_trail: bool) -> None:
        self._case = case
        self._zone = zone
        self._in_trail = in_trail

    def explanation(self) -> Explanation:
        verdict = self._case.verdict
        result = verdict["result"]
        sections = [
            Section("what_happened", wording.WHAT_HAPPENED, tuple(self._what_happened())),
            Section("promised", wording.PROMISED, tuple(self._promised())),
            Section("why", wording.WHY[result], tuple(self._why())),
            Section("rests_on", wording.RESTS_ON, tuple(self._rests_on())),
            Section("earlier", wording.EARLIER, tuple(self._earlier())),
            Section("remedy", wording.REMEDY, tuple(self._remedy()) if result != "OK" else ()),
            Section("proof", wording.PROOF, tuple(self._proof())),
        ]
        title = wording.TITLE.format(
            rule=verdict["rule_id"], result=wording.RESULTS[result], severity=verdict["severity"].lower()
        )
        about = wording.VERDICT.format(
            verdict_id=verdict["verdict_id"],
            pack=verdict["pack"],
            pack_version=verdict["pack_version"],
            controller=verdict["controller_id"],
        )
        return Explanation(title, about, tuple(one for one in sections if one.sentences), self._case)

    # --- what happened -------------------------------------------------------------------------------------------

    def _what_happened(self) -> Iterator[str]:
        if self._case.judged is None:
            yield wording.NOT_FOUND
            return
        record = self._case.judged.record
        if self._case.judged.kind != "activity":
            kind = label("", record["body"][0].rpartition(".")[2])
            when = self._when(record["recorded_at"])
            yield wording.FACT_SAID.format(when=when, kind=kind, reference=record["subject"])
            return
        yield wording.HAPPENED.format(
            when=self._when(record["occurred_at"]),
            actor=_actor(record["actor"]),
            did=wording.DID.get(record["event_type"])
            or wording.DID_OTHER.format(event=label("EventType", record["event_type"])),
            subject=_subject(record["subject"]),
            recipient=_recipient(record["recipient"]),
        )
        categories = _labels("DataCategory", record["data_categories"])
        yield wording.CATEGORIES.format(categories=categories) if categories else wording.NO_CATEGORIES
        special = record["special_basis"]
        yield wording.PURPOSE_AND_BASIS.format(
            purpose=_stated_term("Purpose", record["purpose"]),
            basis=_stated_term("LegalBasis", record["legal_basis"]),
            special=wording.SPECIAL.format(basis=label("SpecialBasis", special)) if special else "",
        )
        if transfer := record["transfer"]:
            yield wording.TRANSFER.format(
                destination=transfer["destination_country"]
                or transfer["destination_organisation"]
                or wording.NOT_STATED,
                instrument=_stated_term("TransferInstrument", transfer["instrument"]),
            )
        if named := [record[name] for name in _REFERENCES if record[name]]:
            yield wording.REFERRED_TO.format(references=", ".join(named))

    # --- what was promised, and why it is broken -----------------------------------------------------------------

    def _promised(self) -> Iterator[str]:
        verdict = self._case.verdict
        yield wording.PROMISE.format(heading=verdict["heading"], promise=verdict["promise"])
        if verdict["articles"]:
            yield wording.ARTICLES.format(articles=", ".join(verdict["articles"]))
        if self._case.entry is not None and self._case.entry.assumed:
            yield wording.ASSUMED.format(paragraph=self._case.entry.assumed)

    def _why(self) -> Iterator[str]:
        verdict, entry = self._case.verdict, self._case.entry
        if entry is None:
            yield wording.NO_ENTRY.format(rule=verdict["rule_id"])
        elif verdict["result"] == "NOT_EVALUABLE":
            yield wording.WHY_NOT_EVALUABLE.format(explanation=entry.explanation)
        elif verdict["result"] == "OK":
            yield wording.WHY_OK.format(explanation=entry.explanation)
        else:
            yield entry.explanation
        yield wording.REASON.format(reason=verdict["reason"])
        if entry is not None and self._case.pack_version != verdict["pack_version"]:
            yield wording.OTHER_PACK.format(now=self._case.pack_version)

    # --- what it rests on ----------------------------------------------------------------------------------------

    def _rests_on(self) -> Iterator[str]:
        used = {fact.family for fact in self._case.facts}
        sought = self._case.entry.facts if self._case.entry else []
        if not (used or sought):
            yield wording.RESTS_ON_NOTHING
        if missing := [_family(family) for family in sought if family not in used]:
            yield wording.SOUGHT_IN_VAIN.format(families=", ".join(missing))
        for fact in self._case.facts:
            yield wording.FACT.format(
                family=_family(fact.family),
                key="" if fact.key == fact.version else fact.key,
                statement=self._statement(fact),
                interval=self._interval(fact),
                known=self._known(fact),
            ).replace(" : ", ": ")

    def _statement(self, fact: FactInCase) -> str:
        own = fact.statement
        if own is None:
            form = wording.STATEMENT_MISSING if fact.holds_from is None else wording.LAW_AS_SHIPPED
            return form.format(version=fact.version)
        told = self._told(own, fact.key)
        earlier = [
            self._told(one, fact.key) for one in fact.history if one is not own and one.known_at <= own.known_at
        ]
        return f"{told}, {wording.HISTORY.format(statements='; '.join(earlier))}" if earlier else told

    def _told(self, one: Statement, key: str) -> str:
        states = stated(one.kind, one.body, key)
        return wording.STATED_AS.format(
            kind=label("", one.kind), version=one.fact_id, states=f": {states}" if states else ""
        )

    def _interval(self, fact: FactInCase) -> str:
        begin, end = fact.holds_from, fact.holds_to
        return wording.INTERVAL[begin is not None, end is not None].format(
            begin=begin and self._when(begin), end=end and self._when(end)
        )

    def _known(self, fact: FactInCase) -> str:
        own = fact.statement
        if own is None:
            return wording.KNOWN_WITH_LAW if fact.holds_from else wording.KNOWN_UNKNOWN
        late = own.known_at > self._case.verdict["occurred_at"]
        return (wording.KNOWN_LATE if late else wording.KNOWN_SINCE).format(when=self._when(own.known_at))

    # --- what became of it ---------------------------------------------------------------------------------------

    def _earlier(self) -> Iterator[str]:
        for old in self._case.before:
            by = old.by and old.by.statement
            why = wording.BY_CLOCK
            if old.by and by:
                why = wording.BY_FACT.format(kind=label("", by.kind), key=old.by.key, version=by.fact_id)
            result = wording.RESULTS[old.verdict["result"]] if old.verdict else wording.COMPLIED
            verdict_id = old.verdict["verdict_id"] if old.verdict else wording.NOTHING_WRITTEN
            yield wording.SUPERSEDED.format(
                result=result, verdict_id=verdict_id, when=self._when(old.ended_at), why=why
            )
        if after := self._case.after:
            yield wording.NO_LONGER_STANDS.format(
                verdict_id=after["verdict_id"],
                when=self._when(after["evaluated_at"]),
                result=wording.RESULTS[after["result"]],
            )

    def _remedy(self) -> Iterator[str]:
        entry = self._case.entry
        if entry is not None and entry.remedy:
            yield entry.remedy
            return
        examples = entry.examples.complies if entry is not None and entry.examples else []
        complying = [one.title for one in examples if one.result == "OK"]
        yield wording.REMEDY_EXAMPLES if complying else wording.REMEDY_UNKNOWN
        yield from (f"- {title}" for title in complying)

    def _proof(self) -> Iterator[str]:
        event_id = self._case.verdict["event_id"]
        if not self._in_trail:
            yield wording.PROVE_LATER.format(event_id=event_id)
            return
        yield wording.PROVE.format(event_id=event_id)
        yield wording.SHOWS_RECORD

    def _when(self, instant: datetime) -> str:
        local = instant.astimezone(self._zone)
        return f"{local.day} {local:%B %Y} at {local:%H:%M:%S} ({local:%Z})"


def _actor(actor: Mapping[str, Any]) -> str:
    organisation = actor["org_id"]
    who = wording.ACTOR.format(
        who=wording.SYSTEM if actor["type"] in _MACHINES else wording.SOMEBODY,
        role=wording.ROLE.format(role=actor["role"]) if actor["role"] else "",
        organisation=wording.OF_ORGANISATION.format(organisation=organisation) if organisation else "",
    )
    country = actor["access_country"]
    return who + (wording.LOOKING_FROM.format(country=country) if country else "")


def _subject(subject: Mapping[str, Any]) -> str:
    relation = subject["relation"]
    told = f" ({label('SubjectRelation', relation)})" if relation else ""
    return wording.SUBJECT.format(reference=subject["pseudonym"], relation=told)


def _recipient(recipient: Mapping[str, Any] | None) -> str:
    if recipient is None:
        return ""
    established, processing = recipient["establishment_country"], recipient["processing_country"]
    about = [
        label("Recipient", recipient["category"]) if recipient["category"] else "",
        wording.IN_COUNTRY.format(country=established) if established else "",
        wording.PROCESSING_IN.format(country=processing) if processing and processing != established else "",
    ]
    told = ", ".join(part for part in about if part)
    return wording.RECIPIENT.format(
        recipient=recipient["org_id"] or recipient["person"] or wording.RECIPIENT_UNKNOWN,
        category=f" ({told})" if told else "",
    )


def _family(family: str) -> str:
    return wording.FAMILIES.get(family) or label("", family)


def _labels(enum: str, symbols: Iterable[str]) -> str:
    return ", ".join(label(enum, symbol) for symbol in symbols if symbol != UNKNOWN)


def _stated_term(enum: str, symbol: str | None) -> str:
    if symbol in (None, UNKNOWN, "NONE"):
        return wording.NOT_STATED
    assert symbol is not None
    return symbol.lower() if symbol == OTHER else label(enum, symbol)


def _fact_json(fact: FactInCase) -> dict[str, Any]:
    own = fact.statement
    return {
        "kind": fact.family,
        "key": fact.key,
        "version": fact.version,
        "statement": own.kind if own else None,
        "holds_from": fact.holds_from,
        "holds_to": fact.holds_to,
        "known_at": own.known_at if own else None,
    }
