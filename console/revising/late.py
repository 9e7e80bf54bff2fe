"""Decides what changes in one log of events when something was learnt late, or an instant has come.

What was said is read from the trail, at most so many events at once; dossiers, causes and chains are made from it as
the screening makes them from a file, so the verdicts are the same ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from inzage.console.revising.log_records import SUBJECTS, Found, LogRecords, in_parts
from inzage.console.revising.persons import Persons, said_event, said_fact
from inzage.schemas.codec import Schema, split
from inzage.streams.dossier.references import References
from inzage.streams.dossier.store import DossierStore
from inzage.streams.dossier.time import LONG_AGO
from inzage.streams.screening.engine import Controller, Engine
from inzage.streams.screening.record import Place
from inzage.streams.screening.revision import AS_KNOWN_THEN, Cause, Moment, Revision, Said, reference_cause
from inzage.streams.screening.screener import Screener

IsNew = Callable[[Cause], bool]


@dataclass(frozen=True, slots=True)
class Revised:
    """What one page led to: superseding verdicts, and coming instants (milliseconds since 1970) by offset."""

    verdicts: list[dict[str, Any]] = field(default_factory=list)
    due: Mapping[int, set[int]] = field(default_factory=dict)


@dataclass(slots=True)
class LateLog:
    """The chains of one log. `counts` are the counters of its partition; `references` are read up to now."""

    engine: Engine
    controller: Controller
    references: References
    schemas: Mapping[bytes, Schema]
    records: LogRecords
    counts: DossierStore
    _persons: Persons | None = None

    def of_facts(self, arrived: Mapping[int, tuple[int, str]]) -> Iterator[Revised]:
        """What the facts at some offsets change; `arrived` has the broker time and the subject of each."""
        last, clock = max(arrived), max(at for at, _ in arrived.values())
        for subjects in in_parts(sorted({subject for _, subject in arrived.values()}), SUBJECTS):
            persons = self._known(subjects, last)
            causes = list(persons.causes())
            back = self._reach_back(cause for cause in causes if cause.moment.horizon - 1 in arrived)
            if not back:
                continue

            def is_new(cause: Cause) -> bool:
                return cause.subject is not None and cause.moment.horizon - 1 in arrived

            judged = [said for said in persons.judged if said.subject in back]
            yield self._revise(judged, persons, causes, clock, is_new)
            for page in self.records.events(back, last):
                yield self._revise(self._said(page), persons, causes, clock, is_new)

    def of_references(self, facts: Sequence[Mapping[str, Any]], clock: int, last: int) -> Iterator[Revised]:
        """What references change that became known up to `clock`; the log is settled up to the offset `last`."""
        fresh = {fact["fact_id"] for fact in facts}
        causes = [reference_cause(fact, Moment(AS_KNOWN_THEN, clock)) for fact in facts]
        words = sorted({word.decode() for cause in causes for word in cause.words})
        if not all(cause.words for cause in causes):
            words = []
        since = LONG_AGO if self.controller.plan.by_clock else min(cause.since for cause in causes)

        def is_new(cause: Cause) -> bool:
            return cause.subject is None and cause.fact is not None and cause.fact["version"] in fresh

        for page in self.records.mentioning(words, since, clock):
            yield self._revise_page(self._said(page), last, clock, is_new)
        for page in self.records.judged_facts(sorted(self.controller.policies.judged_facts), clock):
            yield self._revise_page(self._said_facts(page), last, clock, is_new)

    def of_clock(self, offsets: Sequence[int], clock: int, last: int) -> Iterator[Revised]:
        """What the clock has changed up to now in the events and facts at `offsets`."""

        def is_new(cause: Cause) -> bool:
            return cause.fact is None

        for page in self.records.at(offsets):
            facts = self._said_facts(found for found in page if self._is_fact(found))
            events = self._said(found for found in page if not self._is_fact(found))
            yield self._revise_page([*events, *facts], last, clock, is_new)

    def _reach_back(self, causes: Iterable[Cause]) -> dict[str, datetime]:
        """The first instant that matters to each person whom a cause is about."""
        back: dict[str, datetime] = {}
        for cause in causes:
            assert cause.subject is not None
            since = LONG_AGO if self.controller.plan.by_clock else cause.since
            back[cause.subject] = min(back.get(cause.subject, since), since)
        return back

    def _known(self, subjects: Sequence[str], last: int) -> Persons:
        persons = Persons(self.schemas)
        persons.take(self.records.facts(subjects, last), self.controller.policies.judged_facts)
        return persons

    def _revise_page(self, said: list[Said], last: int, clock: int, is_new: IsNew) -> Revised:
        persons = self._known(sorted({one.subject for one in said}), last)
        causes = [cause for cause in persons.causes() if cause.moment.at <= clock]
        return self._revise(said, persons, causes, clock, is_new)

    def _revise(
        self, said: Sequence[Said], persons: Persons, causes: Sequence[Cause], clock: int, is_new: IsNew
    ) -> Revised:
        """Judge `said` at every cause up to `clock`."""
        if not said:
            return Revised()
        if persons is not self._persons:
            self._persons = persons
            self.engine.forget_persons(self.controller)
            self.engine.load_dossiers(self.controller, persons.store.opened())
            self.engine.load_counts(self.controller, self.counts.all_counts())
        log = self.records.log
        place = Place(log.topic.name, log.topic_id, log.partition)
        screener = Screener(self.engine, self.controller, self.references, place, self.schemas, persons.store)
        revision = Revision(screener, persons.horizon_at, clock)
        shared = self._shared(min(one.row.known_at for one in said), clock)
        verdicts = [verdict for _, verdict in revision.revise(said, [*causes, *shared], is_new)]
        return Revised(verdicts, revision.due_later())

    def _shared(self, after: int, until: int) -> list[Cause]:
        """The references that became known after a time and up to another, as causes."""
        known = ((round(known_at.timestamp() * 1000), fact) for known_at, fact in self.references.known())
        return [reference_cause(fact, Moment(AS_KNOWN_THEN, at)) for at, fact in known if after < at <= until]

    def _said(self, page: Iterable[Found]) -> list[Said]:
        """Events as they were judged at first; one that was delivered again was not."""
        found = list(page)
        repeats = self.records.repeats(one.subject for one in found)
        return [said_event(one, self.schemas) for one in found if one.offset not in repeats]

    def _said_facts(self, page: Iterable[Found]) -> list[Said]:
        return [said_fact(found, self.schemas) for found in page]

    def _is_fact(self, found: Found) -> bool:
        return split(found.message, also=self.schemas).name == "fact"
