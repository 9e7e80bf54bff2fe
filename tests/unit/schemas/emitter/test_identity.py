"""Identifiers are UUIDv7: they carry the time and do not repeat."""

from __future__ import annotations

import time
from uuid import UUID

from inzage.schemas.emitter.identity import new_id


def test_ids_are_version_7_with_the_time_in_front() -> None:
    before = time.time_ns() // 1_000_000
    made = UUID(new_id())
    assert (made.version, made.variant) == (7, "specified in RFC 4122")
    assert before <= made.int >> 80 <= time.time_ns() // 1_000_000


def test_ids_do_not_repeat() -> None:
    assert len({new_id() for _ in range(10_000)}) == 10_000
