"""Keeps what is known beforehand about an event or fact of the month: which rules must fire, or that none may."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Label:
    """What must be found in one event: result by rule. Empty: a near miss, in which nothing may be found.

    Some policies judge facts too: `event_id` is then the fact's.
    """

    event_id: str
    controller_id: str
    story: str
    fires: Mapping[str, str]

    @property
    def planted(self) -> bool:
        """Whether something must be found."""
        return bool(self.fires)


def write_labels(path: Path, labels: Iterable[Label]) -> int:
    """Write one line a label; returns how many."""
    lines = [json.dumps(asdict(label)) + "\n" for label in labels]
    path.write_text("".join(lines), encoding="utf-8")
    return len(lines)


def read_labels(path: Path) -> list[Label]:
    """The labels of a file that `write_labels` wrote."""
    return [Label(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]
