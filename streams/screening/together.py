"""Judges what many screenings ask in one pass of the engine, though none of them knows of the others.

A pass costs about as much for one row as for hundreds. So each screening runs until it asks the engine to judge; when
all of them wait, what they asked is judged at once, and each goes on with its own answer. Nothing is shared between
them: every row carries whose dossiers and counters it sees and which state of the references, and every lookup has
that for its first key. Screenings take turns, so only one of them runs at any time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from threading import Semaphore, Thread
from typing import Generic, NamedTuple, TypeVar

from inzage.schemas.codec import Schema
from inzage.schemas.splice import long_bytes
from inzage.streams.dossier.reference_rows import Tables
from inzage.streams.dossier.versions import PersonDossier
from inzage.streams.screening.engine import Controller, Counts, Engine
from inzage.streams.screening.pack import Policies
from inzage.streams.screening.row import Hit, Row
from inzage.streams.screening.view import WHOSE

_T = TypeVar("_T")
_AT_ONCE = 100
"""Screenings that wait for each other; each has a thread."""


class Question(NamedTuple):
    """Rows that one screening wants judged, written with `schema`, and the references they are judged with."""

    controller: Controller
    schema: Schema
    rows: Sequence[Row]
    tables: Tables


class Answer(NamedTuple):
    """What the engine would have said to that screening alone."""

    hits: list[Hit]
    unreadable: list[Row]


@dataclass(slots=True)
class Seat(Generic[_T]):
    """What one screening sees of the engine: its own dossiers, counters and references, and its own rows."""

    number: int
    task: Callable[[Seat[_T]], _T]
    together: Together
    question: Question | None = None
    answer: Answer | Exception | None = None
    result: _T | Exception | None = None
    done: bool = False
    _tables: dict[str, Tables] = field(default_factory=dict)
    _dossiers: dict[str, dict[str, PersonDossier]] = field(default_factory=dict)
    _counts: dict[str, Counts] = field(default_factory=dict)
    _turn: Semaphore = field(default_factory=lambda: Semaphore(0))
    _paused: Semaphore = field(default_factory=lambda: Semaphore(0))

    # --- what a screening asks, as it would ask the engine ---------------------------------------------------------

    def add(self, policies: Policies) -> Controller:
        """The tables for a controller, shared with the others."""
        return self.together.controller(policies)

    def forget_persons(self, controller: Controller) -> None:
        """Empty its dossiers and counters, to begin afresh."""
        self._dossiers[controller.database] = {}
        self._counts[controller.database] = {}

    def forget_dossiers(self, controller: Controller, subjects: Iterable[str]) -> None:
        """Hold the dossiers of some persons no more."""
        for subject in subjects:
            self._dossiers[controller.database].pop(subject, None)

    def load_dossiers(self, controller: Controller, dossiers: Iterable[PersonDossier]) -> None:
        """Put its dossiers of persons in place of what was there."""
        self._dossiers[controller.database].update((dossier.subject, dossier) for dossier in dossiers)

    def load_counts(self, controller: Controller, seen: Counts) -> None:
        """Put its counters in place."""
        self._counts[controller.database] = {**self._counts[controller.database], **seen}

    def load_tables(self, controller: Controller, tables: Tables) -> None:
        """Make its references what `tables` says."""
        self._tables[controller.database] = tables

    def judge(self, controller: Controller, schema: Schema, rows: Sequence[Row]) -> tuple[list[Hit], list[Row]]:
        """The hits of its rows, and those that could not be read; waits until the others ask something too."""
        if not rows:
            return [], []
        self.question = Question(controller, schema, rows, self._tables[controller.database])
        self._paused.release()
        self._turn.acquire()
        answer, self.answer, self.question = self.answer, None, None
        if isinstance(answer, Exception):
            raise answer
        assert answer is not None
        return answer.hits, answer.unreadable

    # --- what the table asks of it ---------------------------------------------------------------------------------

    def go_on(self) -> None:
        """Let it run until it asks or has done."""
        self._turn.release()
        self._paused.acquire()

    def run(self) -> None:
        """The life of its thread."""
        self._turn.acquire()
        try:
            self.result = self.task(self)
        except Exception as error:  # whoever asked for the result is told
            self.result = error
        self.done = True
        self._paused.release()

    def dossiers(self, controller: Controller) -> list[PersonDossier]:
        """Its dossiers, as loaded."""
        return list(self._dossiers[controller.database].values())

    def counts(self, controller: Controller) -> Counts:
        """Its counters, as loaded."""
        return self._counts[controller.database]


class Together:
    """Runs screenings side by side on one engine. Controllers are compiled once, with tables that tell them apart."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._controllers: dict[tuple[str, str], Controller] = {}

    def controller(self, policies: Policies) -> Controller:
        """The controller of these policies; raises `ConfigError` when the predicates make no table."""
        key = policies.controller_id, policies.version
        if key not in self._controllers:
            self._controllers[key] = self._engine.add(policies, of_many=True)
        return self._controllers[key]

    def run(self, tasks: Sequence[Callable[[Seat[_T]], _T]]) -> list[_T | Exception]:
        """The result of each task, which is given a seat in place of the engine, or what it raised; in order."""
        results: list[_T | Exception] = []
        for first in range(0, len(tasks), _AT_ONCE):
            seats = [Seat(number, task, self) for number, task in enumerate(tasks[first : first + _AT_ONCE], start=1)]
            self._seat(seats)
            for seat in seats:
                assert seat.result is not None
                results.append(seat.result)
        return results

    def _seat(self, seats: Sequence[Seat[_T]]) -> None:
        threads = [Thread(target=seat.run, name=f"screening {seat.number}", daemon=True) for seat in seats]
        for thread in threads:
            thread.start()
        waiting = list(seats)
        while waiting:
            for seat in waiting:
                seat.go_on()
            waiting = [seat for seat in waiting if not seat.done]
            self._answer(waiting)
        for thread in threads:
            thread.join()

    def _answer(self, seats: Sequence[Seat[_T]]) -> None:
        """Judge what the seats ask, all that goes into the same tables at once."""
        asked: dict[tuple[str, bytes], list[Seat[_T]]] = {}
        for seat in seats:
            assert seat.question is not None
            asked.setdefault((seat.question.controller.database, seat.question.schema.header), []).append(seat)
        for those in asked.values():
            try:
                self._judge(those)
            except Exception as error:  # each screening is told, as if it had asked the engine itself
                for seat in those:
                    seat.answer = error

    def _judge(self, seats: Sequence[Seat[_T]]) -> None:
        asked = [(seat, seat.question) for seat in seats if seat.question is not None]
        controller, schema = asked[0][1].controller, asked[0][1].schema
        whose: dict[int, Seat[_T]] = {}
        row_before: dict[Row, Row] = {}
        for seat, question in asked:
            whose[seat.number] = seat
            seat.answer = Answer([], [])
            mark = long_bytes(seat.number)
            row_before |= {row._replace(datum=mark + row.datum): row for row in question.rows}
        self._engine.load_of_many(
            controller,
            {seat.number: question.tables for seat, question in asked},
            {seat.number: seat.dossiers(controller) for seat in seats},
            {seat.number: seat.counts(controller) for seat in seats},
        )
        hits, unreadable = self._engine.judge(controller, schema, list(row_before))
        for hit in hits:
            seen = dict(hit.seen)
            number = int(seen.pop(WHOSE))
            _answer_of(whose[number]).hits.append(hit._replace(seen=seen))
        for row in unreadable:
            seat = next(seat for seat in seats if row.datum.startswith(long_bytes(seat.number)))
            _answer_of(seat).unreadable.append(row_before[row])


def _answer_of(seat: Seat[_T]) -> Answer:
    assert isinstance(seat.answer, Answer)
    return seat.answer
