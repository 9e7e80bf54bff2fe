"""Reads from the trail what one log of events says about persons, as the bytes that were produced."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any, NamedTuple, TypeVar

from inzage.sinks.logs import Log
from inzage.sinks.trail import Trail
from inzage.streams.dossier.remembered import EVENT_TYPES
from inzage.streams.screening.redelivery import recognised

T = TypeVar("T")

PAGE = 5_000
"""Records read, and judged again, at once."""
SUBJECTS = 1_000
"""Persons asked about at once: their references stand in the query."""


class Found(NamedTuple):
    """One record: offset, broker time in milliseconds since 1970, message, and whether it has a deadline."""

    subject: str
    offset: int
    known_at: int
    message: bytes
    dated: bool


@dataclass(frozen=True, slots=True)
class LogRecords:
    """The records of one log, less those that the screening refused. What raises is as `Trail` says."""

    trail: Trail
    log: Log

    def settled(self, first: int, last: int) -> bool:
        """Whether the trail holds every offset from `first` to `last`, and the screening has judged them."""
        (held, judged_until), *_ = self.trail.select("settled", **self._place, first=first, last=last)
        return bool(held > last - first and judged_until >= last)

    def facts(self, subjects: Sequence[str], last: int) -> Iterator[Found]:
        """What dossiers of `subjects` rest on up to the offset `last`: facts, and activities they remember."""
        for some in in_parts(subjects, SUBJECTS):
            yield from self._select("revised_facts", subjects=some, last=last, remembered=list(EVENT_TYPES))

    def events(self, reaches_back_to: Mapping[str, datetime], last: int) -> Iterator[list[Found]]:
        """Pages of events below `last` that ended since the instant stated for their person, or have a deadline."""
        subjects = sorted(reaches_back_to)
        micros = [_micros(reaches_back_to[subject]) for subject in subjects]
        after = ("", -1)
        while True:
            page = list(
                self._select(
                    "revised_events",
                    subjects=subjects,
                    reaches_back_to=micros,
                    last=last,
                    after_subject=after[0],
                    after_offset=after[1],
                    limit=PAGE,
                )
            )
            if page:
                yield page
            if len(page) < PAGE:
                return
            after = page[-1].subject, page[-1].offset

    def mentioning(self, words: Sequence[str], since: datetime, known_before: int) -> Iterator[list[Found]]:
        """Pages of events known before a time that ended since `since` or have a deadline, and mention a word."""
        asked = {"words": list(words), "since": _micros(since), "known_before": known_before}
        yield from self._pages("revised_mentions", **asked)

    def judged_facts(self, kinds: Sequence[str], known_before: int) -> Iterator[list[Found]]:
        """Pages of facts of `kinds` known before a time."""
        if kinds:
            yield from self._pages("revised_judged_facts", kinds=list(kinds), known_before=known_before)

    def repeats(self, subjects: Iterable[str]) -> set[int]:
        """The offsets of events about `subjects` that were recognised as delivered again, and not judged."""
        found: set[int] = set()
        for some in in_parts(sorted(set(subjects)), SUBJECTS):
            for (offsets,) in self.trail.select("revised_repeats", **self._place, subjects=some):
                found |= recognised(map(int, offsets))
        return found

    def at(self, offsets: Sequence[int]) -> Iterator[list[Found]]:
        """Pages of the events and facts at `offsets`."""
        for some in in_parts(sorted(offsets), PAGE):
            yield list(self._select("revised_at", offsets=some))

    def _pages(self, query: str, **parameters: Any) -> Iterator[list[Found]]:
        after = -1
        while True:
            page = list(self._select(query, **parameters, after=after, limit=PAGE))
            if page:
                yield page
            if len(page) < PAGE:
                return
            after = page[-1].offset

    def _select(self, query: str, **parameters: Any) -> Iterator[Found]:
        for subject, offset, known_at, raw, dated in self.trail.select(query, **self._place, **parameters):
            yield Found(subject, int(offset), int(known_at), bytes.fromhex(raw), bool(dated))

    @property
    def _place(self) -> dict[str, Any]:
        log = self.log
        return {
            "log_id": log.id,
            "topic": log.topic.name,
            "topic_id": log.topic_id,
            "partition": log.partition,
        }


def in_parts(these: Iterable[T], size: int) -> Iterator[list[T]]:
    """`these` in lists of `size` at most."""
    rest = iter(these)
    while part := list(islice(rest, size)):
        yield part


def _micros(instant: datetime) -> int:
    return round((instant - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1_000_000)
