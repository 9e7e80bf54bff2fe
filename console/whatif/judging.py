"""Judges shares of the trail in both worlds on this process's engine, and counts what differs.

The predicates are the worker's own, evaluated by the worker's engine.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from inzage.console.whatif.difference import SEEN, Comparison, Differing
from inzage.console.whatif.evidence import Evidence, Page, Share
from inzage.console.whatif.question import Question, World
from inzage.streams.screening.column import Column
from inzage.streams.screening.engine import Controller, engine
from inzage.streams.screening.row import Hit
from inzage.streams.screening.view import VIOLATION

Found = tuple[list[Differing], list[Differing]]
"""Events for which something would newly be violated, and no longer; by offset."""


@dataclass(slots=True)
class Judging:
    """The tables of a question, in this process. Making it raises `ConfigError` for predicates that make no table."""

    question: Question
    limit: int
    _worlds: list[Controller] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        question = self.question
        for world in (question.otherwise,) if question.at_once else (question.now, question.otherwise):
            self._worlds.append(_controller(world))

    def judge(self, evidence: Evidence, share: Share, persons: int) -> Comparison:
        """What differs in one share, of about so many persons with a dossier."""
        found = Comparison.empty(self.limit)
        if self.question.families:
            for controller in self._worlds:
                engine().forget_persons(controller)
            for some in evidence.dossiers(share, self.question.families, persons):
                engine().tell_dossiers(self._worlds, some)
        for page in evidence.pages(share):
            found.judged += page.count
            hits = _Hits(evidence, page)
            violated, lawful = self._compared(hits) if self.question.at_once else self._apart(hits)
            found.violated.take(share.log_id, sorted(violated, key=_by_offset))
            found.lawful.take(share.log_id, sorted(lawful, key=_by_offset))
        return found

    def _compared(self, hits: _Hits) -> Found:
        (controller,) = self._worlds
        marks, found = self.question.marks, (list[Differing](), list[Differing]())
        for hit in hits.of(controller):
            marked = [marks[position] for position, code in hit.codes if code == VIOLATION]
            for side, newly in zip(found, (True, False), strict=True):
                if entries := [entry for entry, mark in marked if mark is newly]:
                    side.append(Differing(hit.offset, tuple(sorted(entries)), hit.seen))
        return found

    def _apart(self, hits: _Hits) -> Found:
        before, after = (_violated(controller, hits.of(controller)) for controller in self._worlds)
        return _beyond(after, before), _beyond(before, after)


@dataclass(slots=True)
class _Hits:
    """What is found in a page, by whichever controller; worlds that need the same columns share what was read."""

    evidence: Evidence
    page: Page
    _blocks: dict[tuple[Column, ...], bytes] = field(default_factory=dict, init=False)

    def of(self, controller: Controller) -> list[Hit]:
        """Every hit; events that make an expression fail have none, and are looked for among the rows."""
        hits = self._by_columns(controller) if self.page.rows is None else None
        if hits is not None:
            return hits
        by_schema = self.evidence.rows(self.page).items()
        return [hit for schema, rows in by_schema for hit in engine().judge_at_once(controller, schema, rows)[0]]

    def _by_columns(self, controller: Controller) -> list[Hit] | None:
        named = controller.plan.named
        if named not in self._blocks:
            self._blocks[named] = self.evidence.block(self.page, named)
        return engine().judge_block(controller, self._blocks[named], self.page.count)


def _controller(world: World) -> Controller:
    controller = engine().add(world.policies, shown=SEEN)
    engine().load_tables(controller, world.tables)
    return controller


def _violated(controller: Controller, hits: Iterable[Hit]) -> dict[int, tuple[frozenset[str], Hit]]:
    """What is violated: offset -> entries and the hit."""
    rules = controller.policies.rules
    found = {}
    for hit in hits:
        if entries := frozenset(rules[position].entry.id for position, code in hit.codes if code == VIOLATION):
            found[hit.offset] = entries, hit
    return found


def _beyond(
    one: dict[int, tuple[frozenset[str], Hit]], other: dict[int, tuple[frozenset[str], Hit]]
) -> list[Differing]:
    """What is violated in one world and not in the other."""
    nothing = (frozenset[str](), None)
    return [
        Differing(offset, tuple(sorted(entries - other.get(offset, nothing)[0])), hit.seen)
        for offset, (entries, hit) in one.items()
        if entries - other.get(offset, nothing)[0]
    ]


def _by_offset(differing: Differing) -> int:
    return differing.offset
