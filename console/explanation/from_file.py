"""Makes the cases of the verdicts on a file, which stand in no trail."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from inzage.console.explanation.case import Case, before_and_after, facts_in, statements_of
from inzage.console.explanation.from_trail import entry_of
from inzage.schemas.json_face import Said
from inzage.schemas.json_lines import Line
from inzage.streams.screening.offline import Screened
from inzage.streams.screening.record import known_time


def cases_of(
    lines: Sequence[Line], screened: Screened, packs: Path | None
) -> Iterator[tuple[Mapping[str, Any], Case]]:
    """Each verdict that stands at the end, with its case, in order."""
    said: dict[str, Said] = {_id(line.said): line.said for line in lines if line.said is not None}
    # Lines stand in order of arrival, so an activity is known since it was recorded, as nearly as it matters here.
    statements = statements_of(
        (one, known_time(screened.positions[name].at) if name in screened.positions else one.record["recorded_at"])
        for name, one in said.items()
        if name in screened.positions or one.kind == "activity"
    )
    chains: dict[tuple[str, ...], list[Mapping[str, Any]]] = {}
    for given in screened.verdicts:
        chains.setdefault(_place(given), []).append(given)
    for verdict in _standing(chains, screened):
        before, _ = before_and_after(verdict, chains[_place(verdict)], statements)
        entry, version = entry_of(verdict["controller_id"], verdict["rule_id"], packs)
        judged = said.get(verdict["event_id"])
        yield verdict, Case(verdict, judged, facts_in(verdict, statements), before, None, entry, version)


def _standing(
    chains: Mapping[tuple[str, ...], Sequence[Mapping[str, Any]]], screened: Screened
) -> Iterator[Mapping[str, Any]]:
    for verdict in screened.verdicts:
        if verdict["revision"] == max(one["revision"] for one in chains[_place(verdict)]):
            yield verdict


def _place(verdict: Mapping[str, Any]) -> tuple[str, ...]:
    return verdict["controller_id"], verdict["event_id"], verdict["rule_id"], str(verdict["offset"])


def _id(said: Said) -> str:
    name: str = said.record["event_id" if said.kind == "activity" else "fact_id"]
    return name
