"""A handle waits only for the terms it was told, and never longer than the rights it was told them under."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from inzage.deploy.local.clickhouse.handles import LIVES, MOST, Handle, ReadyHandles, Terms
from inzage.sinks.roles import Role

TERMS = Terms.of(Role.ANALYST, "inzage", {"max_threads": "1", "readonly": "1"})
OTHERS = [
    Terms.of(Role.VERIFIER, "inzage", {"max_threads": "1", "readonly": "1"}),
    Terms.of(None, "inzage", {"max_threads": "1", "readonly": "1"}),
    Terms.of(Role.ANALYST, None, {"max_threads": "1", "readonly": "1"}),
    Terms.of(Role.ANALYST, "inzage", {"max_threads": "2", "readonly": "1"}),
    Terms.of(Role.ANALYST, "inzage", {"max_threads": "1"}),
    Terms.of(Role.ANALYST, "inzage", {"max_threads": "1", "readonly": "1", "limit": "1"}),
]


@dataclass
class Connection:
    """What is closed, and how often."""

    closed: int = 0

    def close(self) -> None:
        self.closed += 1


@dataclass
class Clock:
    """Seconds as a test says."""

    at: float = 100.0
    ready: ReadyHandles = field(init=False)

    def __post_init__(self) -> None:
        self.ready = ReadyHandles(lambda: self.at)
        self.at += 1

    def handle(self, terms: Terms = TERMS) -> Handle:
        return Handle(Connection(), terms, self.ready.now())


def test_a_handle_is_for_one_at_a_time() -> None:
    clock = Clock()
    handle = clock.handle()
    clock.ready.put(handle)
    assert clock.ready.take(TERMS) is handle
    assert clock.ready.take(TERMS) is None
    assert handle.engine.closed == 0


@pytest.mark.parametrize("other", OTHERS)
def test_nobody_gets_a_handle_on_other_terms(other: Terms) -> None:
    clock = Clock()
    clock.ready.put(clock.handle())
    assert clock.ready.take(other) is None
    assert clock.ready.take(TERMS)


def test_a_handle_lives_shortly() -> None:
    clock = Clock()
    handle = clock.handle()
    clock.at += LIVES - 1
    clock.ready.put(handle)
    assert clock.ready.take(TERMS) is handle
    clock.ready.put(handle)
    clock.at += 1
    assert clock.ready.take(TERMS) is None
    assert handle.engine.closed == 1


def test_few_wait_and_the_oldest_goes_first() -> None:
    clock = Clock()
    handles = [clock.handle() for _ in range(MOST + 2)]
    for handle in handles:
        clock.ready.put(handle)
    assert [handle.engine.closed for handle in handles] == [1, 1] + [0] * MOST


def test_what_is_in_use_during_a_drop_does_not_wait_again() -> None:
    """It may have been told its terms under rights that are no more."""
    clock = Clock()
    waiting, used = clock.handle(), clock.handle()
    clock.ready.put(waiting)
    clock.at += 1
    clock.ready.drop()
    clock.ready.put(used)
    assert (waiting.engine.closed, used.engine.closed) == (1, 1)
    clock.at += 1
    after = clock.handle()
    clock.ready.put(after)
    assert clock.ready.take(TERMS) is after
