"""Judges again what was judged before something was learnt: the verdict that changes is superseded by a new one.

A cause is a fact that was learnt later and reaches back to when an event happened, or the clock that reaches an
instant at which time alone may change a result. Each event has a chain: as known when it was said, then as known at
each cause that may concern it, in order. Where an entry's result differs from the one before, a verdict is appended
that names the earlier one and the fact. The chain follows from what was said alone, so a replay gives the same
verdicts with the same ids, whoever works it out and when.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from inzage.schemas.codec import Schema, read_datum
from inzage.streams.dossier.time import LONG_AGO
from inzage.streams.dossier.versions import PersonDossier
from inzage.streams.screening.facts_used import FactUsed
from inzage.streams.screening.row import Hit, Row
from inzage.streams.screening.screener import Screener
from inzage.streams.screening.verdicts import VerdictMaker
from inzage.streams.screening.view import OK

AS_KNOWN_THEN = -1
"""Horizon of a cause that is no fact of the person: whatever was known of the person at its time."""


class Moment(NamedTuple):
    """What was known: facts below the offset `horizon`, references and clock at `at`, milliseconds since 1970."""

    horizon: int
    at: int


@dataclass(frozen=True, slots=True)
class Cause:
    """Why something is judged again. `subject` None: whoever is concerned; `fact` None: the clock read `moment.at`.

    It concerns what ended at `since` or later; of a reference, only events in whose words one of `words` stands.
    """

    moment: Moment
    fact: FactUsed | None = None
    subject: str | None = None
    since: datetime = LONG_AGO
    words: frozenset[bytes] = frozenset()


@dataclass(slots=True)
class Said:
    """What was judged: the row as it was judged at first, the schema of its datum, and whose it is.

    `dated`: there were instants, as known then, at which time alone may change a result.
    """

    schema: Schema
    row: Row
    subject: str
    dated: bool = False
    _until: datetime | None = None

    @property
    def until(self) -> datetime:
        """The last instant it speaks of."""
        if self._until is None:
            record = read_datum(self.schema, self.row.datum)
            self._until = max(record["occurred_at"], record["ended_at"] or record["occurred_at"])
        return self._until

    def moment(self) -> Moment:
        return Moment(self.row.horizon, self.row.now)


class Link(NamedTuple):
    """One step of a chain: what was known of this event's person when a cause came."""

    moment: Moment
    cause: Cause

    def place(self) -> tuple[Moment, str]:
        """Its place in the chain; of several at one moment the clock is first, then facts by id."""
        return self.moment, self.cause.fact["version"] if self.cause.fact else ""


@dataclass(slots=True)
class Revision:
    """The chains of what `screener` judged.

    `horizon_at` tells the offset below which everything was known at a time, for a subject; the clock is believed up
    to `clock`, milliseconds since 1970.
    """

    screener: Screener
    horizon_at: Callable[[str, int], int]
    clock: int
    _again: dict[tuple[int, Moment], tuple[Hit | None, VerdictMaker]] = field(default_factory=dict)

    def revise(
        self, said: Sequence[Said], causes: Iterable[Cause], is_new: Callable[[Cause], bool] = lambda _: True
    ) -> Iterator[tuple[Moment, dict[str, Any]]]:
        """The superseding verdicts on `said`, with the moment of each, those of causes that are new.

        The clock's causes are found on the way: they have no fact.
        """
        of_person: dict[str | None, list[Cause]] = {}
        for cause in causes:
            of_person.setdefault(cause.subject, []).append(cause)
        shared = of_person.pop(None, [])
        chains = [(one, self._links(one, of_person.get(one.subject, ()), shared)) for one in said]
        chains = [(one, chain) for one, chain in chains if chain or one.dated]
        waiting = chains
        while waiting:
            self._judge(waiting)
            waiting = [(one, chain) for one, chain in waiting if self._add_due(one, chain)]
        for one, chain in chains:
            yield from self._changes(one, chain, is_new)

    def due_later(self) -> dict[int, set[int]]:
        """Instants after `clock` at which time alone may change a result, by offset, as known anywhere in a chain."""
        later: dict[int, set[int]] = {}
        for (offset, _), (hit, _) in self._again.items():
            for due in hit.due if hit else ():
                if due > self.clock:
                    later.setdefault(offset, set()).add(due)
        return later

    def _links(self, said: Said, own: Iterable[Cause], shared: Iterable[Cause]) -> list[Link]:
        links = [self._link(said, cause) for cause in (*own, *shared) if self._concerns(cause, said)]
        return sorted((link for link in links if link.moment > said.moment()), key=Link.place)

    def _link(self, said: Said, cause: Cause) -> Link:
        horizon, at = cause.moment
        if horizon == AS_KNOWN_THEN:
            horizon = max(said.row.horizon, self.horizon_at(said.subject, at))
        return Link(Moment(horizon, at), cause)

    def _concerns(self, cause: Cause, said: Said) -> bool:
        at = cause.moment.at
        if at < said.row.known_at or (cause.moment.horizon == AS_KNOWN_THEN and at == said.row.known_at):
            return False
        undated = bool(self.screener.controller.plan.by_clock)
        if cause.fact is None:
            return undated
        if cause.words and not self._mentions(said, cause.words):
            return False
        # What answers a request comes long after it, and its deadline is a rule by the clock.
        return undated or said.dated or said.until >= cause.since

    def _mentions(self, said: Said, words: frozenset[bytes]) -> bool:
        dossier = self.screener.store.get(said.subject)
        facts = [message for _, message, _ in dossier.said] if dossier else []
        return any(word in text for text in (said.row.datum, *facts) for word in words)

    def _judge(self, chains: Sequence[tuple[Said, list[Link]]]) -> None:
        """Judge every event at every moment of its chain that was not judged yet, in one pass for each schema."""
        rows: dict[Schema, dict[tuple[int, Moment], Row]] = {}
        for said, chain in chains:
            of_schema = rows.setdefault(said.schema, {})
            for moment in (said.moment(), *(link.moment for link in chain)):
                if (said.row.offset, moment) not in self._again:
                    row = said.row._replace(horizon=moment.horizon, now=moment.at)
                    of_schema[said.row.offset, moment] = row
        for schema, of_schema in rows.items():
            if not of_schema:
                continue
            in_order = sorted(of_schema.values(), key=lambda row: row.now)
            for found in self.screener.judge(schema, in_order):
                maker = self.screener.maker(found.tables)
                hits = {(hit.offset, Moment(hit.horizon, hit.now)): hit for hit in found.hits}
                for row in found.rows:
                    place = row.offset, Moment(row.horizon, row.now)
                    self._again[place] = hits.get(place), maker

    def _add_due(self, said: Said, chain: list[Link]) -> bool:
        """Put the clock's causes into the chain, where what was known by then made them due; whether any is new."""
        known = {link.moment for link in chain}
        fresh: dict[Moment, Link] = {}
        for moment in (said.moment(), *known):
            hit, _ = self._again[said.row.offset, moment]
            for due in hit.due if hit else ():
                if moment.at < due <= self.clock:
                    link = self._link(said, Cause(Moment(AS_KNOWN_THEN, due)))
                    if link.moment not in known and link.moment > said.moment():
                        fresh[link.moment] = link
        chain += fresh.values()
        chain.sort(key=Link.place)
        return bool(fresh)

    def _changes(
        self, said: Said, chain: Sequence[Link], is_new: Callable[[Cause], bool]
    ) -> Iterator[tuple[Moment, dict[str, Any]]]:
        before, _ = self._again[said.row.offset, said.moment()]
        revisions: dict[int, int] = {}
        for moment, cause in chain:
            after, maker = self._again[said.row.offset, moment]
            old, new_codes = _codes(before), _codes(after)
            shown = after or before
            for position in sorted(
                position for position in {*old, *new_codes} if old.get(position) != new_codes.get(position)
            ):
                revisions[position] = revisions.get(position, 0) + 1
                if is_new(cause):
                    assert shown is not None
                    hit = shown._replace(horizon=moment.horizon)
                    code = new_codes.get(position, OK)
                    yield (
                        moment,
                        maker.revised(hit, position, code, revisions[position], moment.at, cause.fact),
                    )
            before = after


def person_causes(dossier: PersonDossier, known_at: Mapping[int, int]) -> Iterator[Cause]:
    """A cause for each fact of a person that changed something; `known_at` has the broker time of each offset."""
    for offset, _, fact in dossier.said:
        since = dossier.reaches_back_to(offset)
        if since is not None:
            yield Cause(Moment(offset + 1, known_at[offset]), fact_used(fact), dossier.subject, since)


def reference_cause(fact: Mapping[str, Any], moment: Moment) -> Cause:
    """The cause that a reference is."""
    body = fact["body"][1]
    instants = [value for value in body.values() if isinstance(value, datetime)]
    names = [body[name] for name in _NAMING if isinstance(body.get(name), str)]
    words = frozenset(name.encode() for name in names if name)
    return Cause(moment, fact_used(fact), None, min(instants, default=LONG_AGO), words)


def fact_used(fact: Mapping[str, Any]) -> FactUsed:
    """A fact as a verdict names it: its kind, the reference its versions share, and its id."""
    kind, body = fact["body"][0].rpartition(".")[2], fact["body"][1]
    shared = next(
        (body[name] for name in body if name.endswith(("_ref", "_id")) and isinstance(body[name], str)), None
    )
    return {"kind": kind, "key": str(shared or fact["fact_id"]), "version": fact["fact_id"]}


_NAMING = (
    "event_id",
    "org_id",
    "party_org_id",
    "importer_org_id",
    "country",
    "partner_org_id",
    "template",
    "actor_id",
)
"""What a reference is about, when an event names the same. Without any it concerns every event."""


def _codes(hit: Hit | None) -> dict[int, int]:
    return dict(hit.codes) if hit is not None else {}
