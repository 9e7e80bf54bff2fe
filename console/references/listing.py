"""Lists from the trail the reference facts that held at one instant, as they were known at another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from inzage.console.references.identity import BEGINS, ENDS, named
from inzage.console.references.standing import Known, Standing, standing
from inzage.console.references.topic import topic_of
from inzage.schemas.json_face import write
from inzage.sinks.kept import kept_of
from inzage.sinks.trail import Trail


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked for: whose facts, of which kinds (none: all), that held at `as_of` as known at `known_at`."""

    controllers: tuple[str, ...]
    kinds: tuple[str, ...]
    as_of: datetime
    known_at: datetime


def listed(trail: Trail, asked: Asked) -> Iterator[dict[str, Any]]:
    """One row for each fact that stands, by controller, kind and what names it."""
    rows = trail.select_named(
        "references_known",
        topics=sorted({topic_of(controller) for controller in asked.controllers}),
        known_at=int(asked.known_at.timestamp() * 1000),
    )
    said = [Known(kept.said.record, kept.kept_at) for kept in kept_of(trail, rows)]
    yield from rows_of(said, asked.kinds, asked.as_of)


def rows_of(said: Iterable[Known], kinds: Sequence[str], as_of: datetime) -> Iterator[dict[str, Any]]:
    """The rows of what stands of `said` and holds at `as_of`."""
    for (controller, kind, key), one in sorted(standing(said).items()):
        if (not kinds or kind in kinds) and one.holds_at(as_of):
            yield {
                "controller": controller,
                "kind": kind,
                "key": key,
                "states": _states(kind, one),
                "holds_from": one.holds_from,
                "holds_to": one.holds_to,
                "known_at": one.known.known_at,
                "fact_id": one.known.fact["fact_id"],
                "ended_by": one.ended_by,
            }


def _states(kind: str, one: Standing) -> dict[str, Any]:
    """What it states beside what names it and its interval."""
    face = write("reference", one.known.fact)["fact"]
    told = {*named(kind).by, *named(kind).besides, *BEGINS, *ENDS}
    return {name: face[name] for name in one.known.body if name in face and name not in told}
