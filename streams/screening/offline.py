"""Judges facts and events of a file, in order of arrival, on the same code path as the worker but without Kafka."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from inzage.schemas.codec import encode, schema_at
from inzage.schemas.errors import ContractError
from inzage.schemas.json_lines import Line
from inzage.streams.dossier.law import law
from inzage.streams.dossier.references import References
from inzage.streams.screening.engine import Controller, Judging, engine
from inzage.streams.screening.pack import has_pack, policies_of
from inzage.streams.screening.record import Outcome, SaidRecord, known_time
from inzage.streams.screening.revision import (
    AS_KNOWN_THEN,
    Cause,
    Moment,
    Revision,
    Said,
    person_causes,
    reference_cause,
)
from inzage.streams.screening.screener import Screener

_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class Screened:
    """What came of a file: verdicts in order, and lines that could not be judged with the reason."""

    verdicts: list[dict[str, Any]] = field(default_factory=list)
    moments: list[Moment] = field(default_factory=list)
    """When each verdict was given, as (position in the file, clock); superseding ones follow those they replace."""
    positions: dict[str, Moment] = field(default_factory=dict)
    """When each fact was known, by fact_id."""
    arrived: int = 0
    """When the last line arrived, milliseconds since 1970; the clock may have gone on since."""
    refused: list[tuple[int, str, str]] = field(default_factory=list)
    events: int = 0
    facts: int = 0


class OfflineScreening:
    """Screens files for the controllers it is asked about; their policies are compiled once.

    `judging` is the engine, or a seat of its own where many screenings share one.
    """

    def __init__(self, packs: Path | None = None, judging: Judging | None = None) -> None:
        self._packs = packs
        self._engine = judging or engine()
        self._controllers: dict[str, Controller] = {}

    def controller(self, controller_id: str) -> Controller:
        """The controller's policies, compiled; raises `ConfigError` when there is no pack for it."""
        if controller_id not in self._controllers:
            self._controllers[controller_id] = self._engine.add(policies_of(controller_id, self._packs))
        return self._controllers[controller_id]

    def screen(
        self,
        lines: Iterable[Line],
        controllers: Iterable[str] = (),
        clock: Iterable[datetime] = (),
        otherwise: str = "",
        deadlines: bool = True,
    ) -> Screened:
        """Judge `lines`, which stand in order of arrival. `controllers` are those served; empty: any with a pack.

        The clock is believed to have reached the last arrival and every instant of `clock`: what fell due by then is
        judged again, unless no `deadlines` are wanted. What names a controller without a pack is refused, or else
        judged as said to the controller `otherwise`.
        """
        ticks = sorted(clock)
        served = {controller.upper() for controller in controllers}
        screened = Screened()
        said: dict[str, list[tuple[int, Line]]] = {}
        for position, line in enumerate(lines):
            if line.said is None:
                error = line.error or ContractError("cannot be read")
                screened.refused.append((line.number, error.code, str(error)))
                continue
            controller_id = str(line.said.record["controller_id"]).upper()
            if otherwise and controller_id != "LAW" and not has_pack(controller_id, self._packs):
                controller_id = otherwise.upper()
            unserved = served and controller_id not in served
            if controller_id != "LAW" and (unserved or not has_pack(controller_id, self._packs)):
                refusal = ContractError("controller_id: no pack serves it", code="contract.unknown-controller")
                screened.refused.append((line.number, refusal.code, str(refusal)))
                continue
            said.setdefault(controller_id, []).append((position, line))
        law_lines = said.pop("LAW", [])
        for controller_id, own in said.items():
            in_order = sorted([*law_lines, *own], key=lambda pair: pair[0])
            self._screen(controller_id, in_order, ticks if deadlines else None, screened)
        return screened

    def _screen(
        self, controller_id: str, said: list[tuple[int, Line]], ticks: list[datetime] | None, screened: Screened
    ) -> None:
        controller = self.controller(controller_id)
        self._engine.forget_persons(controller)
        references = References(controller_id, law(), controller.policies.settings)
        screener = Screener(self._engine, controller, references)
        records, numbers, arrived = [], {}, _EARLIEST
        moments: dict[int, Moment] = {}
        causes: list[Cause] = []
        for position, line in said:
            assert line.said is not None
            record = line.said.record
            arrived = max(arrived, known_time(int(record["recorded_at"].timestamp() * 1000)))
            timestamp = round(arrived.timestamp() * 1000)
            moments[position] = Moment(position + 1, timestamp)
            if line.said.kind != "activity":
                screened.positions[record["fact_id"]] = moments[position]
            if line.said.kind == "reference":
                references.take(arrived, record)
                causes.append(reference_cause(record, moments[position]))
                screened.facts += 1
                continue
            screened.events += line.said.kind == "activity"
            screened.facts += line.said.kind == "fact"
            key = record["subject"]["pseudonym"] if line.said.kind == "activity" else record["subject"]
            records.append(SaidRecord(position, timestamp, key.encode(), encode(line.said.kind, record)))
            numbers[position] = line.number
        screened.arrived = max([screened.arrived, *(moment.at for moment in moments.values())])
        if records:
            outcome = screener.screen(records)
            screened.verdicts += outcome.verdicts
            screened.moments += [moments[verdict["offset"]] for verdict in outcome.verdicts]
            causes += _of_persons(screener, moments)
            if controller.plan.by_clock:
                causes += [Cause(Moment(AS_KNOWN_THEN, int(tick.timestamp() * 1000))) for tick in ticks or ()]
            now = 0 if ticks is None else max(int(tick.timestamp() * 1000) for tick in (arrived, *ticks))
            revision = Revision(screener, _horizons(moments), now)
            for moment, verdict in revision.revise(_said(outcome, records), causes):
                screened.verdicts.append(verdict)
                screened.moments.append(moment)
            screened.refused += [
                (numbers[letter["offset"]], letter["reason"], letter["message"]) for letter in outcome.dead_letters
            ]


def _of_persons(screener: Screener, moments: Mapping[int, Moment]) -> list[Cause]:
    known_at = {position: moment.at for position, moment in moments.items()}
    return [cause for dossier in screener.store.opened() for cause in person_causes(dossier, known_at)]


def _horizons(moments: Mapping[int, Moment]) -> Callable[[str, int], int]:
    """Below which position everything had arrived at a time, whoever it is about."""
    arrivals = sorted(moments.values())
    times = [moment.at for moment in arrivals]

    def horizon_at(_: str, at: int) -> int:
        arrived = bisect_right(times, at)
        return arrivals[arrived - 1].horizon if arrived else 0

    return horizon_at


def _said(outcome: Outcome, records: Sequence[SaidRecord]) -> list[Said]:
    """What was judged, in order."""
    subjects = {record.offset: (record.key or b"").decode() for record in records}
    said = [
        Said(schema_at(header), row, subjects[row.offset], row.offset in outcome.due)
        for header, rows in outcome.rows.items()
        for row in rows
    ]
    return sorted(said, key=lambda one: one.row.offset)
