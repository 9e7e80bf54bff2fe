"""Judges facts and events of a file, in order of arrival, on the same code path as the worker but without Kafka."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from inzage.schemas.codec import encode
from inzage.schemas.errors import ContractError
from inzage.schemas.json_lines import Line
from inzage.streams.dossier.law import law
from inzage.streams.dossier.references import References
from inzage.streams.screening.engine import Controller, engine
from inzage.streams.screening.pack import has_pack, policies_of
from inzage.streams.screening.record import SaidRecord, known_time
from inzage.streams.screening.screener import Screener

_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class Screened:
    """What came of a file: verdicts in order, and lines that could not be judged with the reason."""

    verdicts: list[dict[str, Any]] = field(default_factory=list)
    refused: list[tuple[int, str, str]] = field(default_factory=list)
    events: int = 0
    facts: int = 0


class OfflineScreening:
    """Screens files for the controllers it is asked about; their policies are compiled once."""

    def __init__(self, packs: Path | None = None) -> None:
        self._packs = packs
        self._controllers: dict[str, Controller] = {}

    def controller(self, controller_id: str) -> Controller:
        """The controller's policies, compiled; raises `ConfigError` when there is no pack for it."""
        if controller_id not in self._controllers:
            self._controllers[controller_id] = engine().add(policies_of(controller_id, self._packs))
        return self._controllers[controller_id]

    def screen(self, lines: Iterable[Line], controllers: Iterable[str] = ()) -> Screened:
        """Judge `lines`, which stand in order of arrival. `controllers` are those served; empty: any with a pack."""
        served = {controller.upper() for controller in controllers}
        screened = Screened()
        said: dict[str, list[tuple[int, Line]]] = {}
        for position, line in enumerate(lines):
            if line.said is None:
                error = line.error or ContractError("cannot be read")
                screened.refused.append((line.number, error.code, str(error)))
                continue
            controller_id = str(line.said.record["controller_id"]).upper()
            unserved = served and controller_id not in served
            if controller_id != "LAW" and (unserved or not has_pack(controller_id, self._packs)):
                refusal = ContractError("controller_id: no pack serves it", code="contract.unknown-controller")
                screened.refused.append((line.number, refusal.code, str(refusal)))
                continue
            said.setdefault(controller_id, []).append((position, line))
        law_lines = said.pop("LAW", [])
        for controller_id, own in said.items():
            self._screen(controller_id, sorted([*law_lines, *own], key=lambda pair: pair[0]), screened)
        return screened

    def _screen(self, controller_id: str, said: list[tuple[int, Line]], screened: Screened) -> None:
        controller = self.controller(controller_id)
        engine().forget_persons(controller)
        references = References(controller_id, law(), controller.policies.settings)
        screener = Screener(engine(), controller, references)
        records, numbers, arrived = [], {}, _EARLIEST
        for position, line in said:
            assert line.said is not None
            record = line.said.record
            arrived = max(arrived, known_time(int(record["recorded_at"].timestamp() * 1000)))
            if line.said.kind == "reference":
                references.take(arrived, record)
                screened.facts += 1
                continue
            screened.events += line.said.kind == "activity"
            screened.facts += line.said.kind == "fact"
            key = record["subject"]["pseudonym"] if line.said.kind == "activity" else record["subject"]
            timestamp = round(arrived.timestamp() * 1000)
            records.append(SaidRecord(position, timestamp, key.encode(), encode(line.said.kind, record)))
            numbers[position] = line.number
        if records:
            outcome = screener.screen(records)
            screened.verdicts += outcome.verdicts
            screened.refused += [
                (numbers[letter["offset"]], letter["reason"], letter["message"]) for letter in outcome.dead_letters
            ]
