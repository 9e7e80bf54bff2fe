"""Says what is judged and what was found: a row goes in, and a hit comes out where something was."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple


class Row(NamedTuple):
    """One datum to judge: its offset, when it became known (milliseconds, UTC), the kind of fact it stands for.

    It sees the facts below the offset `horizon`, and the clock reads `now` (milliseconds, UTC): its own offset and
    time at first, later ones when it is judged again.
    """

    offset: int
    known_at: int
    datum: bytes
    fact: str
    horizon: int
    now: int


class Hit(NamedTuple):
    """What was found in one row: `codes` are (position of the entry, result code); `seen` the view's columns."""

    offset: int
    horizon: int
    now: int
    fact: str
    codes: tuple[tuple[int, int], ...]
    lower: frozenset[int]
    seen: Mapping[str, Any]
    due: tuple[int, ...] = ()
    """Instants, milliseconds UTC, at which time alone may change what was found."""
