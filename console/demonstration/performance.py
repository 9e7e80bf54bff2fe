"""Performs the demonstration on a running stack: import, emit, wait until all is judged and kept, compare."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from inzage.console.demonstration import trail
from inzage.console.demonstration.emission import open_emitter
from inzage.console.demonstration.label import write_labels
from inzage.console.demonstration.month import LANES, Month
from inzage.console.demonstration.outcome import Outcome, compare
from inzage.console.stack import Stack
from inzage.deploy.local.processes import start_child
from inzage.schemas.errors import InzageError
from inzage.schemas.settings import Settings
from inzage.streams.screening.pack import policies_of

IMPORTED_FROM = "fhir-import"
SETTLE_WITHIN = 150.0  # seconds after the last event was acknowledged


class DemonstrationError(InzageError):
    """A part of the demonstration could not be performed."""

    code = "demonstration.failed"


@dataclass(slots=True)
class Performance:
    """One run on `stack`. `tell` gets a line for a person at each step; `stopped` ends it early."""

    stack: Stack
    month: Month
    audit_events: tuple[Path, ...]
    tell: Callable[[str], None]
    stopped: threading.Event = field(default_factory=threading.Event)

    def run(self) -> Outcome:
        """Perform all of it. Raises `InzageError` when a part cannot be performed."""
        started = time.monotonic()
        settings = self.stack.settings
        labels = self.month.labels()
        write_labels(settings.data_dir / "labels.jsonl", labels)
        references = self._say_references()
        imported = self._import()
        began = time.monotonic()
        emitted = self._emit()
        ended = time.monotonic()
        self.tell(f"{emitted['events']:,} events emitted; waiting until all are judged and kept")
        standing = trail.wait_until_settled(settings, within=SETTLE_WITHIN, stopped=self.stopped.is_set)
        settled = time.monotonic()
        found, foreign = trail.found(settings), trail.events_of(settings, IMPORTED_FROM)
        return Outcome(
            emitted={**emitted, "references": references},
            imported=imported,
            comparison=compare(labels, found, foreign, _by_clock(settings)),
            promises=tuple(trail.promises(settings, foreign)),
            on_imported=Counter(result for event_id in foreign for result in found.get(event_id, {}).values()),
            standing=standing,
            seconds={
                "emitting": round(ended - began, 1),
                "settling": round(settled - ended, 1),
                "total": round(time.monotonic() - started, 1),
            },
        )

    def _say_references(self) -> int:
        references = self.month.references()
        with open_emitter(self.stack.settings) as emitter:
            for said in references:
                emitter.send(said)
        return len(references)

    def _import(self) -> Mapping[str, int]:
        """Bring in AuditEvents with the command a person would use."""
        counts: Counter[str] = Counter()
        for file in self.audit_events:
            options = ["--controller", "CIGNA", "--source-system", IMPORTED_FROM, "--output", "json"]
            command = [sys.executable, "-m", "inzage.console.main", "import", "fhir", str(file), *options]
            ended = subprocess.run(
                command, env=self._env(), capture_output=True, text=True, check=False, timeout=SETTLE_WITHIN
            )
            if ended.returncode not in (0, 1):  # 1: some became dead letters
                raise DemonstrationError(f"{file.name} cannot be imported: {ended.stderr.strip()}")
            said = json.loads(ended.stdout)
            counts.update({name: said[name] for name in ("read", "events", "dead_letters")})
            self.tell(f"{file.name}: {said['events']} events from {said['read']} AuditEvents")
        return counts

    def _emit(self) -> dict[str, int]:
        """Emit all lanes side by side."""
        self.tell(f"emitting a month of {self.month.events:,} events")
        folder = self.stack.settings.data_dir / "log"
        outputs = [folder / f"emission-{lane}.log" for lane in range(LANES)]
        for output in outputs:
            output.unlink(missing_ok=True)
        month = ["--seed", str(self.month.seed), "--events", str(self.month.events)]
        module = [sys.executable, "-m", "inzage.console.demonstration.emission", *month]
        lanes = [
            start_child([*module, "--lane", str(lane)], env=self.stack.env, output=output)
            for lane, output in enumerate(outputs)
        ]
        try:
            while any(lane.poll() is None for lane in lanes) and not self.stopped.wait(0.1):
                pass
        finally:
            for lane in lanes:
                lane.terminate()
        if any(lane.wait() for lane in lanes):
            raise DemonstrationError("the month was not emitted", hint=f"see {folder}")
        return _summed(_last_line(output) for output in outputs)

    def _env(self) -> dict[str, str]:
        return {**os.environ, **self.stack.env}


def _last_line(output: Path) -> Mapping[str, Any]:
    said: Mapping[str, Any] = json.loads(output.read_text(encoding="utf-8").splitlines()[-1])
    return said


def _summed(counts: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    summed: Counter[str] = Counter()
    for count in counts:
        summed.update({name: count[name] for name in ("events", "facts")})
    return dict(summed)


def _by_clock(settings: Settings) -> frozenset[str]:
    """The entries that time alone can break, by a deadline or a scheduled check."""
    policies = [policies_of(name, settings.packs_dir) for name in settings.controllers]
    judged = {rule.entry.id for one in policies for rule in one.rules if rule.due}
    return frozenset(
        judged | {entry.id for one in policies for entry in (*one.entries, *one.unjudged) if entry.check}
    )
